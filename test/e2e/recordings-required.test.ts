/** "required": no recording, no session; and no way past it. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { recordingsFolder } from '../../src/recordings/recording-folder.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { exchange, openForwards } from '../support/forward.ts';
import { freePort } from '../support/free-port.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { castOf, listRecordings, newest } from '../support/recorded-gateway.ts';
import { collect, runProgram, spawnSsh, sshArguments } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

const run = promisify(execFile);

let door: HostsBehind;
let strict: TestContainer;
let lenient: TestContainer;
let servers: readonly Sshd[];
beforeAll(async () => {
  [door, strict, lenient] = await Promise.all([
    startHostsBehind(),
    runContainer(images.busybox, ['--network=none']),
    runContainer(images.busybox, ['--network=none']),
  ]);
  const keys = await lettingIn(door.identity, door.admin);
  servers = await Promise.all([startSshd(keys), startSshd(keys)]);
  await door.addHost('strict', servers[0]?.port ?? 0);
  expect((await door.ssh(`recording set ${strict.name} required`)).status).toBe(0);
  expect((await door.ssh(`recording set ${lenient.name} on`)).status).toBe(0);
  expect((await door.ssh('recording set strict required')).status).toBe(0);
});
afterAll(async () => {
  await Promise.all([strict.remove(), lenient.remove(), ...servers.map((server) => server.stop())]);
  await door.stop();
});

const inside = (container: TestContainer, command: string, options = {}) =>
  door.ssh(command, { login: `rexec-${container.name}`, ...options });
const failures = async () =>
  (JSON.parse((await door.ssh('audit --event=recording-failed --json')).text) as { events: object[] }).events;

describe('where no recording can be made', () => {
  const folder = () => recordingsFolder(door.dataDir);
  let undo: () => Promise<unknown> = async () => {};
  afterEach(() => undo());

  const withSmallDisk = async (size: string) => {
    await mkdir(folder(), { recursive: true, mode: 0o700 });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder()]);
    undo = () => run('umount', ['-l', folder()]);
  };

  it.each(['a full disk', 'a file in the place of the folder'])(
    'there is no session, with 254: %s',
    async (what) => {
      if (what === 'a full disk') {
        await withSmallDisk('16k');
        await run('dd', ['if=/dev/zero', `of=${join(folder(), 'ballast')}`, 'bs=1k', 'count=64']).catch(
          () => {},
        );
      } else {
        await run('rm', ['-rf', folder()]);
        await writeFile(folder(), '');
        undo = () => rm(folder());
      }
      const refused = await inside(strict, 'echo never; touch /tmp/ran');
      expect([refused.status, refused.text]).toEqual([254, '']);
      expect(refused.stderr).toMatch(
        /^postern: sessions in \S+ must be recorded, and no recording can be made now: /,
      );
      expect(await strict.sh('ls /tmp')).not.toContain('ran');
      expect((await door.ssh(`ssh ${strict.name} echo never`)).status).toBe(254);
      expect(await inside(lenient, 'echo still')).toMatchObject({ status: 0, text: 'still\n', stderr: '' });
      expect(await failures()).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ target: strict.name, required: true }),
          expect.objectContaining({ target: lenient.name, required: false }),
        ]),
      );
    },
  );

  it('a disk that is full in the middle ends the session with 254, and leaves another to go on', async () => {
    await withSmallDisk('128k');
    const busy = 'i=0; while [ $i -lt 30000 ]; do echo line $i of many; i=$((i+1)); done; echo the end';
    const ended = await inside(strict, busy, { args: ['-tt'] });
    expect([ended.status, ended.text.includes('the end')]).toEqual([254, false]);
    expect(ended.text + ended.stderr).toContain('this session was ended: sessions in');
    await run('sh', ['-c', `rm -f ${folder()}/*`]);
    const whole = await inside(lenient, busy, { args: ['-tt'] });
    expect([whole.status, whole.text.includes('the end')]).toEqual([0, true]);
    const { id } = await newest(door, ({ state }) => state === 'unfinished');
    expect((await castOf(door, id)).output).toContain('line 0 of many');
  });
});

describe('past the recording leads', () => {
  /** Why a channel was refused. */
  const told = ['-o', 'LogLevel=INFO'];
  const through = (args: readonly string[]) => {
    const proxy = ['ssh', ...sshArguments(door, { key: door.admin, args: told }), ...args].join(' ');
    const known = `UserKnownHostsFile=${servers[0]?.knownHosts}`;
    const options = [
      '-F',
      '/dev/null',
      '-o',
      known,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'LogLevel=ERROR',
    ];
    return runProgram(
      'ssh',
      [...options, '-i', door.admin.file, '-o', `ProxyCommand=${proxy}`, 'root@strict', 'echo got in'],
      {
        timeoutMs: 20_000,
      },
    );
  };
  const gateway = () => ['-p', String(door.port)];

  it('no jump end to end: -J and -W are refused with a sentence, and a session through the gateway is recorded', async () => {
    const port = servers[0]?.port;
    const jumped = await through([...gateway(), '-W', `strict:${port}`, 'somebody@127.0.0.1']);
    expect([jumped.status, jumped.text]).toEqual([255, '']);
    expect(jumped.stderr).toContain('end to end (ssh -J, -W) nobody can');
    const config = await sshConfigFile(door);
    const byJump = await viaConfig(config, [
      '-J',
      'postern',
      '-p',
      String(port),
      'root@strict',
      'echo got in',
    ]);
    expect([byJump.status, byJump.text]).toEqual([255, '']);
    expect(await readFile(config, 'utf8')).toMatch(/Host rexec-strict\n( {2}.*\n)*? {2}ProxyJump none/);
    expect((await door.ssh('echo recorded', { login: 'rexec-strict' })).text).toBe('recorded\n');
    expect(await newest(door, ({ command }) => command === 'echo recorded')).toMatchObject({
      required: true,
    });
  });

  it('no tunnel to an SSH server inside: port 22 is refused, and SSH at any other port is cut off', async () => {
    const refused = await door.ssh(undefined, {
      login: `rexec-${strict.name}`,
      args: [...told, '-W', 'localhost:22'],
    });
    expect(refused.stderr).toContain('no SSH passes by that through a forwarding');
    const tunnelled = await through([
      ...gateway(),
      '-W',
      `127.0.0.1:${servers[1]?.port}`,
      'rexec-strict@127.0.0.1',
    ]);
    expect([tunnelled.status, tunnelled.text]).toEqual([255, '']);
    expect((await door.ssh('audit --event=refused --json')).text).toContain('recording-tunnel');
  });

  it('other forwards go on, and are in a log', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const there = (server.address() as AddressInfo).port;
    const here = await freePort();
    const args = ['-L', `${here}:127.0.0.1:${there}`];
    const forwards = await openForwards(door, here, { login: 'rexec-strict', args });
    expect((await exchange(here, 'twelve bytes')).toString()).toBe('twelve bytes');
    await forwards.close();
    server.close();
    const told = async () => {
      const logs = await listRecordings(door, '--kind=forwards --target=strict');
      return (await Promise.all(logs.map(async ({ id }) => (await castOf(door, id)).output))).join('');
    };
    await expect
      .poll(told)
      .toMatch(new RegExp(`closed forward 127.0.0.1:${there}: 12 bytes in, 12 out, \\d+\\.\\d s`));
  });

  it('no session that began before: those that are not recorded end when it is required', async () => {
    const other = await runContainer(images.busybox, ['--network=none']);
    const running = spawnSsh(door, 'echo ready; sleep 60', { key: door.admin, login: `rexec-${other.name}` });
    await new Promise((resolve) => running.stdout?.once('data', resolve));
    const ended = collect(running);
    expect((await door.ssh(`recording set ${other.name} required`)).status).toBe(0);
    const { status, stderr } = await ended;
    expect([status, stderr]).toEqual([255, expect.stringContaining('must be recorded from now on')]);
    await other.remove();
  });
});
