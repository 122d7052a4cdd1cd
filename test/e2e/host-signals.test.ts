/** Signals, breaks and exit signals of hosts through the gateway, with a client that sends and shows them. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDropbear } from '../support/dropbear.ts';
import { type HostsBehind, hostKeysOf, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { runProgram, type SshTarget } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { besideDrivers } from './clients/driver.ts';

let door: HostsBehind;
let sshd: Sshd;
let servers: readonly Pick<Sshd, 'stop'>[];
beforeAll(async () => {
  door = await startHostsBehind();
  // To programs of root, sshd passes no signal.
  const lettingAppIn = await lettingIn(door.identity);
  // sshd reads it with the rights of whoever logs in.
  await chmod(dirname(lettingAppIn[0]?.split(' ')[1] ?? ''), 0o755);
  sshd = await startSshd([...lettingAppIn, 'LogLevel DEBUG2'], { users: ['app'] });
  const small = await startDropbear(door.identity);
  servers = [sshd, small];
  await door.addHost('openssh', sshd.port, { username: 'app' });
  await door.addHost('dropbear', small.port);
});
afterAll(async () => {
  await Promise.all([door.stop(), ...servers.map((server) => server.stop())]);
});

interface Ending {
  readonly said: string;
  readonly status: number | null;
  /** Name, whether a core was dumped, message. */
  readonly signal: readonly [string, boolean, string] | null;
}

const ending = async (
  { port, knownHosts }: SshTarget,
  login: string,
  key: string,
  ...work: readonly string[]
): Promise<Ending> => {
  const visit = [`port=${port}`, `knownHosts=${knownHosts}`, `login=${login}`, `key=${key}`, ...work];
  const { text, stderr } = await runProgram('/usr/bin/python3', [
    ...['-W', 'ignore', besideDrivers('asyncssh_signals.py')],
    ...visit,
  ]);
  expect(stderr).toBe('');
  return JSON.parse(text) as Ending;
};
const through = (host: string, ...work: readonly string[]) =>
  ending(door, `rexec-${host}`, door.admin.file, ...work);

describe.each(['openssh', 'dropbear'])('a signal to a program on %s', (host) => {
  it.each(['TERM', 'INT', 'USR1'])('%s reaches it', async (name) => {
    const exec = `exec=trap 'echo got; exit 3' ${name}; echo ready; while :; do sleep 0.05; done`;
    expect(await through(host, exec, `send=${name}`)).toEqual({
      said: 'ready\ngot\n',
      status: 3,
      signal: null,
    });
  });

  it.each(['KILL', 'USR1'])('%s that ends it is told as what ended it', async (name) => {
    const { said, signal } = await through(host, 'exec=echo ready; exec sleep 30', `send=${name}`);
    expect([said, signal]).toEqual(['ready\n', [name, false, expect.any(String)]]);
  });
});

describe('an exit signal', () => {
  it.each(['SEGV', 'ABRT'])('%s is told with its core flag, as without a gateway', async (name) => {
    const exec = `exec=cd /tmp; ulimit -c unlimited; kill -${name} $$`;
    const direct = await ending(sshd, 'app', door.identity.file, exec);
    expect(direct.signal?.[0]).toBe(name);
    expect(await through('openssh', exec)).toEqual(direct);
  });

  it.each([
    ['TERM', false, 'stopped by its operator'],
    ['SEGV', true, 'core dumped'],
    ['HUP', false, ''],
  ] as const)('%s has name, core flag (%s) and message (%s) of the host', async (name, core, message) => {
    const { private: hostKey } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (login) => login.accept());
      client.on('session', (accept) =>
        accept().on('exec', (start) => {
          const stream = start();
          (stream.exit as (...end: unknown[]) => void)(name, core, message);
          stream.end();
        }),
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await door.addHost('fixed', port, { hostKeys: await hostKeysOf(port) });
    expect((await through('fixed', 'exec=x')).signal).toEqual([name, core, message]);
    server.close();
  });
});

describe('a break', () => {
  it('reaches the terminal of a program on the host', async () => {
    const told = join(tmpdir(), `postern-break-${process.pid}`);
    const exec = `exec=echo ready; until [ -e ${told} ]; do sleep 0.05; done`;
    const ended = through('openssh', exec, 'pty=1', 'send=BREAK');
    await expect.poll(sshd.logged, { timeout: 30_000 }).toMatch(/request break reply/);
    await writeFile(told, '');
    expect((await ended).status).toBe(0);
    await rm(told);
  });
});
