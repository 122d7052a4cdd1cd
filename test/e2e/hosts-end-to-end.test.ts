/** Registered hosts through the jump, end to end, with the real ssh and OpenSSH's own servers. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway, temporaryFile } from '../support/gateway.ts';
import { collect, type KeyPair, makeKeyPair, runProgram } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: TestGateway;
let sshd: Sshd;
let onHost: KeyPair;
beforeAll(async () => {
  onHost = await makeKeyPair();
  const authorized = await temporaryFile('authorized_keys', `${onHost.publicKey}\n`);
  [door, sshd] = await Promise.all([
    startTestGateway(),
    startSshd([`AuthorizedKeysFile ${authorized}`, 'StrictModes no']),
  ]);
  expect((await door.ssh(`host add Production root@127.0.0.1:${sshd.port}`)).status).toBe(0);
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop()]);
});

/** An ssh_config with the gateway as `gw` and, behind it, whatever is asked for. */
async function config(key: KeyPair = door.admin): Promise<string> {
  const knownHosts = await temporaryFile('known_hosts', '');
  await writeFile(
    knownHosts,
    (await readFile(door.knownHosts, 'utf8')) + (await readFile(sshd.knownHosts, 'utf8')),
  );
  return temporaryFile(
    'config',
    `Host gw
  HostName 127.0.0.1
  Port ${door.port}
  User x
  IdentityFile ${key.file}
Host behind
  HostName 127.0.0.1
  Port ${sshd.port}
  User root
  ProxyJump gw
  IdentityFile ${onHost.file}
Host rexec-production
  Port ${sshd.port}
  HostKeyAlias [127.0.0.1]:${sshd.port}
  User root
  ProxyJump gw
  IdentityFile ${onHost.file}
Host *
  UserKnownHostsFile ${knownHosts}
  IdentitiesOnly yes
  BatchMode yes
  LogLevel ERROR
`,
  );
}

const jump = async (command: string, options: { key?: KeyPair; to?: string; stdin?: Buffer } = {}) =>
  runProgram('ssh', ['-F', await config(options.key), options.to ?? 'behind', command], {
    ...(options.stdin ? { stdin: options.stdin } : {}),
  });

describe('a registered host', () => {
  it.each(['behind', 'rexec-production'])('is reached by jump, as %s, with its own status', async (to) => {
    const outcome = await jump('echo out; echo err >&2; exit 7', { to });
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['out\n', 'err\n', 7]);
  });

  it('gets and gives every byte', async () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    const outcome = await jump('cat', { stdin: bytes });
    const hash = (of: Buffer) => createHash('sha256').update(of).digest('hex');
    expect(hash(outcome.stdout)).toBe(hash(bytes));
  });

  it('is listed among the sessions while it is used, and can be ended', async () => {
    const running = jump('sleep 100');
    const find = async () => {
      const { sessions } = JSON.parse((await door.ssh('session list --json')).text) as {
        sessions: { id: string; target: string }[];
      };
      return sessions.find(({ target }) => target === 'production')?.id;
    };
    await expect.poll(find).toBeDefined();
    expect((await door.ssh(`session kill ${await find()}`)).status).toBe(0);
    expect((await running).status).toBe(255);
  });

  it('sends first, as servers do, and nothing of it is lost', async () => {
    const server = createServer((socket) => socket.end('hello from the server\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await door.ssh(`host add Greeter root@127.0.0.1:${port}`);
    const greeted = await runProgram('ssh', [
      '-F',
      await config(),
      '-o',
      'LogLevel=INFO',
      '-W',
      `greeter:${port}`,
      'gw',
    ]);
    expect(greeted.text).toBe('hello from the server\n');
    server.close();
  });

  it('that nothing listens on: one sentence, and no wait', async () => {
    await door.ssh('host add Closed root@127.0.0.1:1');
    const refused = await runProgram('ssh', [
      '-F',
      await config(),
      '-o',
      'LogLevel=INFO',
      '-W',
      'closed:1',
      'gw',
    ]);
    expect(refused.status).toBe(255);
    expect(refused.stderr).toContain('127.0.0.1 cannot be reached from the gateway (connection refused).');
  });
});

describe('what is not reached', () => {
  it.each([
    ['another port of the host', () => 'production:1'],
    ['open-proxy: an address that is not registered', () => '127.0.0.2:22'],
    ['the same address in another notation', () => `[::ffff:127.0.0.1]:${sshd.port}`],
    ['a number for the address', () => `2130706433:${sshd.port}`],
    ['the gateway itself', () => `127.0.0.1:${door.port}`],
  ])('%s', async (_what, destination) => {
    const refused = await runProgram('ssh', [
      '-F',
      await config(),
      '-o',
      'LogLevel=INFO',
      '-W',
      destination(),
      'gw',
    ]);
    expect(refused.status).toBe(255);
    expect(refused.stderr).toMatch(/administratively prohibited|is not forwarded here|no target/);
  });

  it('somebody else’s host, until it is shared; and no more when it is removed', async () => {
    const alice = await door.addMember('alice');
    expect((await jump('true', { key: alice })).status).toBe(255);
    await door.ssh(`host add Shared root@127.0.0.1:${sshd.port} --shared`);
    expect((await jump('true', { key: alice })).status).toBe(0);
    const running = jump('sleep 100', { key: alice });
    const isOpen = async () => (await door.ssh('session list --json')).text.includes('"target":"shared"');
    await expect.poll(isOpen).toBe(true);
    await door.ssh('host remove Shared');
    expect((await running).status).toBe(255);
    // By the log, as an ssh takes its time to start and to leave.
    const timeOf = (event: string, fact: string, value: string) =>
      Number(door.logged().findLast((line) => line['audit'] === event && line[fact] === value)?.['time']);
    const begun = timeOf('session-started', 'what', 'host remove Shared');
    const ended = () => timeOf('session-ended', 'target', 'shared');
    await expect.poll(ended).toBeGreaterThanOrEqual(begun);
    expect(ended() - begun).toBeLessThan(1_000);
  });

  it('a key that may not forward', async () => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add --name=narrow --no-port-forwarding', { stdin: key.publicKey });
    expect((await jump('true', { key })).status).toBe(255);
  });

  it('a removed key ends what it forwards', async () => {
    const key = await makeKeyPair();
    await door.ssh('ssh-key add --name=brief', { stdin: key.publicKey });
    const running = collect(
      spawn('ssh', ['-F', await config(key), 'behind', 'sleep 100'], { stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    const isOpen = async () => (await door.ssh('session list --json')).text.includes('"target":"production"');
    await expect.poll(isOpen).toBe(true);
    await door.ssh('ssh-key remove brief');
    expect((await running).status).toBe(255);
  });
});
