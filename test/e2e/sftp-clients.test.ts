/** Other clients of SFTP, and clients that vanish, in a container without an sftp-server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { countProcesses, until } from '../support/container-processes.ts';
import { docker } from '../support/containers.ts';
import { removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram, sshArguments } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';

let door: TestGateway;
let container: TestContainer;
let folder: string;
beforeAll(async () => {
  [door, container] = await Promise.all([startTestGateway(), startContainer()]);
  folder = await mkdtemp(join(tmpdir(), 'postern-clients-'));
  await mkdir(join(folder, 'tree/sub folder'), { recursive: true });
  await writeFile(join(folder, 'tree/big'), randomBytes(5_000_000));
  for (let n = 0; n < 30; n++) await writeFile(join(folder, `tree/sub folder/it's ${n}`), `${n}\n`);
});
afterAll(async () => {
  await removeContainer(container);
  await door.stop();
});

describe('a tree goes up and comes back the same', () => {
  const compare = (back: string) => runProgram('diff', ['-r', join(folder, 'tree'), back]);

  it('by rclone', async () => {
    const rclone = (from: string, to: string) =>
      runProgram(
        'rclone',
        [
          ...['copy', '--config', '/dev/null', '--sftp-host', '127.0.0.1', '--sftp-port', String(door.port)],
          ...['--sftp-user', `root+${container.name}`, '--sftp-key-file', door.admin.file],
          ...['--sftp-known-hosts-file', door.knownHosts, from, to],
        ],
        { env: { HOME: folder, SSH_AUTH_SOCK: '' }, timeoutMs: 60_000 },
      );
    expect((await rclone(join(folder, 'tree'), ':sftp:/tmp/rclone')).status).toBe(0);
    expect((await rclone(':sftp:/tmp/rclone', join(folder, 'rclone'))).status).toBe(0);
    expect(await compare(join(folder, 'rclone'))).toMatchObject({ text: '', status: 0 });
  });

  it('by lftp', async () => {
    const connect = ['ssh', '-a', '-x', ...sshArguments(door, { key: door.admin })].join(' ');
    const script = [
      `set sftp:connect-program '${connect}'`,
      `open -u root+${container.name},x sftp://127.0.0.1:${door.port}`,
      `mirror -R ${join(folder, 'tree')} /tmp/lftp`,
      `mirror /tmp/lftp ${join(folder, 'lftp')}`,
    ].join('; ');
    const outcome = await runProgram('lftp', ['--norc', '-c', script], {
      env: { HOME: folder },
      timeoutMs: 60_000,
    });
    expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
    expect(await compare(join(folder, 'lftp'))).toMatchObject({ text: '', status: 0 });
  });
});

it.each([
  // Its ssh says that nothing more comes, and then leaves.
  ['a client', (child: ChildProcess) => child.kill('SIGKILL')],
  ['a client and its ssh', ({ pid = 0 }: ChildProcess) => process.kill(-pid, 'SIGKILL')],
])(
  'download-killed-no-orphan: %s killed in the middle leave nothing open in the resident',
  async (_, kill) => {
    const config = await sshConfigFile(door);
    const child = spawn('sftp', ['-q', '-F', config, `rexec-${container.name}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    await docker('exec', container.id, 'sh', '-c', 'truncate -s 50G /tmp/endless');
    child.stdin.write('get /tmp/endless /dev/null\n');
    const held = 'ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q "/tmp/endless$" && echo held || echo free';
    const isHeld = async () => (await docker('exec', container.id, 'sh', '-c', held)) === 'held';
    expect(await until(isHeld, 20_000)).toBe(true);
    kill(child);
    expect(await until(async () => !(await isHeld()), 20_000)).toBe(true);
  },
);

it('upload-killed-no-orphan: a client killed in the middle leaves nothing running, where the shell serves', async () => {
  const byShell = await startTestGateway({ overrides: { engine: createTestEngine({ residentIdleMs: 0 }) } });
  const config = await sshConfigFile(byShell);
  const child = spawn('sftp', ['-q', '-F', config, `rexec-${container.name}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.write('put /dev/zero /dev/null\n');
  const runs = async () => (await countProcesses(container.id, 'say()')) > 0;
  expect(await until(runs, 20_000)).toBe(true);
  child.kill('SIGKILL');
  expect(await until(async () => !(await runs()), 20_000)).toBe(true);
  await byShell.stop();
});
