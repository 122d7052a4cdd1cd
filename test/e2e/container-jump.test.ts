/** `ssh rexec-web` through the printed ssh_config, and files over it: the real ssh, scp and sftp. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countProcesses, until } from '../support/container-processes.ts';
import { removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { makeKeyPair, runProgram, sshArguments } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

const suffix = randomBytes(3).toString('hex');
const web = `web-${suffix}`;
const deb = `deb-${suffix}`;

let door: TestGateway;
let container: TestContainer;
let debian: TestContainer;
beforeAll(async () => {
  [door, container, debian] = await Promise.all([
    startTestGateway(),
    startContainer({ name: web }),
    startContainer({ name: deb, image: 'debian' }),
  ]);
});
afterAll(async () => {
  await Promise.all([removeContainer(container), removeContainer(debian)]);
  await door.stop();
});

describe('by ProxyJump', () => {
  it('proxyjump-wildcard: with the printed ssh_config, plain "ssh rexec-web" works', async () => {
    const file = await sshConfigFile(door);
    const outcome = await viaConfig(file, [`rexec-${web}`, 'id -un; exit 5']);
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['root\n', '', 5]);
  });

  it('root@rexec-web and app@rexec-web pick the user', async () => {
    const file = await sshConfigFile(door);
    expect((await viaConfig(file, [`root@rexec-${web}`, 'id -un'])).text).toBe('root\n');
    expect((await viaConfig(file, [`app@rexec-${web}`, 'id -un'])).text).toBe('app\n');
  });

  it('20 MB go up and come back the same', async () => {
    const file = await sshConfigFile(door);
    const sent = randomBytes(20 * 1024 * 1024);
    const outcome = await viaConfig(file, [`rexec-${web}`, 'cat'], { stdin: sent, timeoutMs: 60_000 });
    expect(outcome.stdout.equals(sent)).toBe(true);
  });

  it('ssh -J with several sessions over one connection (ControlMaster)', async () => {
    const file = await sshConfigFile(door);
    const control = join(await mkdtemp(join(tmpdir(), 'cm-')), 's');
    const master = ['-o', `ControlPath=${control}`, '-o', 'ControlMaster=auto', '-o', 'ControlPersist=5'];
    const outcomes = [];
    for (let n = 0; n < 5; n++)
      outcomes.push(await viaConfig(file, [...master, `rexec-${web}`, `echo ${n}`]));
    expect(outcomes.map((outcome) => outcome.text)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n']);
    await viaConfig(file, [...master, '-O', 'exit', `rexec-${web}`]);
  });

  it('a jump to anything that is no target is refused: the gateway is no open proxy', async () => {
    const file = await sshConfigFile(door);
    for (const destination of ['127.0.0.1:22', 'localhost:5432', 'example.com:22', 'example.com:80']) {
      const outcome = await viaConfig(file, ['-o', 'LogLevel=INFO', '-W', destination, 'postern']);
      expect(outcome.status).not.toBe(0);
      expect(outcome.stderr).toContain('administratively prohibited');
    }
    expect(
      door
        .logged()
        .some((line) => line['audit'] === 'refused' && String(line['what']).includes('example.com')),
    ).toBe(true);
  });

  it('client-killed-no-orphan: a killed client leaves nothing behind, on this way too', async () => {
    const file = await sshConfigFile(door);
    const child = spawn('ssh', ['-F', file, `rexec-${web}`, 'sleep 780'], { stdio: 'ignore' });
    expect(await until(async () => (await countProcesses(container.id, 'sleep 780')) > 0, 30_000)).toBe(true);
    child.kill('SIGKILL');
    expect(await until(async () => (await countProcesses(container.id, 'sleep 780')) === 0, 30_000)).toBe(
      true,
    );
  });

  it.each([
    ['command="whoami"', 'may only run its own forced command'],
    ['restrict', 'may not forward'],
  ])('a key with %s opens no jump, behind which another key could ask for more', async (option, sentence) => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add', { stdin: `${option} ${key.publicKey}\n` });
    const file = await sshConfigFile(door, door.admin);
    const args = ['-o', 'LogLevel=INFO', '-i', key.file, '-o', 'IdentitiesOnly=yes'];
    const config = (await readFile(file, 'utf8')).replaceAll(door.admin.file, key.file);
    await writeFile(file, config);
    const outcome = await viaConfig(file, [...args, '-W', `rexec-${web}:22`, 'postern']);
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain(sentence);
  });

  it('keys of another account are refused on the inner connection', async () => {
    const member = await door.addMember(`inner-${suffix}`);
    const file = await sshConfigFile(door);
    const text = await readFile(file, 'utf8');
    const [jump, rest] = text.split(/(?=^Host rexec-)/m) as [string, string];
    await writeFile(file, jump + rest.replaceAll(door.admin.file, member.file));
    const outcome = await viaConfig(file, ['-o', 'BatchMode=yes', `rexec-${web}`, 'true']);
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('Permission denied');
  });
});

describe('files', () => {
  it('scp, by both protocols, and sftp work where the image has an sftp-server', async () => {
    const file = await sshConfigFile(door);
    const folder = await mkdtemp(join(tmpdir(), 'scp-'));
    const content = randomBytes(3 * 1024 * 1024);
    await writeFile(join(folder, 'up'), content);
    for (const protocol of [[], ['-O']]) {
      // The old protocol's path goes through the shell there.
      const remote = `rexec-${deb}:${protocol.length > 0 ? '/tmp/a\\ b' : '/tmp/a b'}`;
      const up = await runProgram('scp', ['-F', file, ...protocol, join(folder, 'up'), remote]);
      expect([up.stderr, up.status]).toEqual(['', 0]);
      const down = await runProgram('scp', ['-F', file, ...protocol, remote, join(folder, 'down')]);
      expect([down.stderr, down.status]).toEqual(['', 0]);
      expect((await readFile(join(folder, 'down'))).equals(content)).toBe(true);
    }
    const batch = await runProgram('sftp', ['-F', file, '-b', '-', `rexec-${deb}`], {
      stdin: 'ls /etc/passwd\n',
    });
    expect(batch.text).toContain('/etc/passwd');
  });

  it('sftp works where it has none', async () => {
    const file = await sshConfigFile(door);
    const batch = await runProgram('sftp', ['-F', file, '-b', '-', `rexec-${web}`], {
      stdin: 'ls /etc/passwd\n',
    });
    expect([batch.stderr, batch.status]).toEqual(['', 0]);
    expect(batch.text).toContain('/etc/passwd');
  });

  it('the lobby has no files, and says where they are', async () => {
    const outcome = await runProgram('scp', [
      ...sshArguments(door, { key: door.admin }),
      '-P',
      String(door.port),
      '/etc/hostname',
      'x@127.0.0.1:/tmp/',
    ]);
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('the lobby has no files');
  });
});
