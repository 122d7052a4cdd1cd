/** Registered hosts as people use them: with the printed ssh_config, by grants, and through two gateways in a row. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { startTestGateway, type TestGateway, temporaryFile } from '../support/gateway.ts';
import { collect, type KeyPair, runProgram } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: TestGateway;
let second: TestGateway;
let sshd: Sshd;
let alice: KeyPair;
let container: TestContainer;
let target: string;
beforeAll(async () => {
  [door, second, container] = await Promise.all([
    startTestGateway(),
    startTestGateway(),
    runContainer(images.busybox),
  ]);
  alice = await door.addMember('alice');
  const keys = [door.admin, second.admin, alice].map(({ publicKey }) => `${publicKey}\n`);
  const authorized = await temporaryFile('authorized_keys', keys.join(''));
  sshd = await startSshd([`AuthorizedKeysFile ${authorized}`, 'StrictModes no']);
  target = `root@127.0.0.1:${sshd.port}`;
  expect((await door.ssh(`host add "Production DB" ${target}`)).text).toMatch(/SHA256:.{43} \(ssh-ed25519\)/);
});
afterAll(async () => {
  await Promise.all([door.stop(), second.stop(), sshd.stop(), container.remove()]);
});

const outcomeOf = async (args: readonly string[], key?: KeyPair) => {
  const { text, stderr, status } = await viaConfig(await sshConfigFile(door, key), args);
  return { text, stderr, status };
};

describe('the printed ssh_config, with every host key checked', () => {
  it('reaches a host end to end, and a container', async () => {
    expect(await outcomeOf(['rexec-production-db', 'echo from $SSH_CONNECTION; exit 3'])).toMatchObject({
      text: expect.stringMatching(/^from 127\.0\.0\.1 /),
      stderr: '',
      status: 3,
    });
    expect(await outcomeOf([`rexec-${container.name}`, 'echo in a container'])).toMatchObject({
      text: 'in a container\n',
      status: 0,
    });
  });

  it('forwards with -L through the host, and with -W to its registered ports only', async () => {
    const config = await sshConfigFile(door);
    const [local, other] = [await freePort(), await freePort()];
    const running = spawn('ssh', [
      ...['-F', config, '-L', `${local}:127.0.0.1:${sshd.port}`, '-o', 'ExitOnForwardFailure=yes'],
      ...['rexec-production-db', 'sleep 60'],
    ]);
    const greeting = () => runProgram('ssh-keyscan', ['-p', String(local), '127.0.0.1']);
    await expect.poll(async () => (await greeting()).text, { timeout: 10_000 }).toContain('ssh-ed25519');
    running.kill();
    const refused = await viaConfig(config, ['-W', `rexec-production-db:${other}`, 'postern']);
    expect(refused.status).toBe(255);
    await door.ssh(`host add ported ${target} --ports=${other}`);
    const closed = await viaConfig(config, ['-o', 'LogLevel=INFO', '-W', `ported:${other}`, 'postern']);
    expect(closed.stderr).toContain('cannot be reached from the gateway (connection refused)');
  });

  it.each(['PRODUCTION-DB', 'production-db.', 'Rexec-Production-DB'])(
    '-W takes the name as %s',
    async (name) => {
      const config = await sshConfigFile(door);
      const args = ['-F', config, '-W', `${name}:${sshd.port}`, 'postern'];
      expect((await runProgram('ssh', args, { stdin: 'SSH-2.0-x\r\n' })).text).toMatch(/^SSH-2\.0-OpenSSH/);
    },
  );
});

it('an IPv6 address is reached as it is registered, and not in another notation of it', async () => {
  const server = createServer((socket) => socket.end('hello\n')).listen(0, '::1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await door.ssh(`host add six root@[::1]:${port}`);
  const config = await sshConfigFile(door);
  const reach = async (address: string) =>
    (await viaConfig(config, ['-W', `[${address}]:${port}`, 'postern'])).text;
  expect(await reach('::1')).toBe('hello\n');
  for (const other of ['0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::1%lo', '::0.0.0.1'])
    expect([other, await reach(other)]).toEqual([other, '']);
  server.close();
});

describe('grants', () => {
  const shareWith = (terms: string) => door.ssh(`share add production-db alice ${terms}`);

  it('nobody’s host is in their ssh_config, and it is not reached by its address either', async () => {
    const { text } = await door.ssh('ssh-config', { key: alice });
    expect(text).not.toContain('production-db');
    expect((await outcomeOf(['rexec-production-db', 'true'], alice)).status).toBe(255);
  });

  it('a grant opens it, and one withdrawn ends what is forwarded within a second', async () => {
    await shareWith('');
    const config = await sshConfigFile(door, alice);
    const running = collect(
      spawn('ssh', ['-F', config, 'rexec-production-db', 'echo up; exec sleep 100'], {
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
    const isOpen = async () =>
      (await door.ssh('session list --json')).text.includes('"target":"production-db"');
    await expect.poll(isOpen).toBe(true);
    await door.ssh('share remove production-db alice');
    expect((await running).status).toBe(255);
    // By the log: ssh may take that long to start, and to end.
    const timeOf = (event: string, fact: string, value: string) =>
      Number(door.logged().findLast((line) => line['audit'] === event && line[fact] === value)?.['time']);
    const begun = timeOf('session-started', 'what', 'share remove production-db alice');
    const ended = () => timeOf('session-ended', 'target', 'production-db');
    await expect.poll(ended).toBeGreaterThanOrEqual(begun);
    expect(ended() - begun).toBeLessThan(1_000);
  });

  it('unkept-limits: a grant with limits goes through the gateway, and not end to end', async () => {
    await shareWith('--no-pty');
    const block = (await door.ssh('ssh-config', { key: alice })).text;
    expect(block).toMatch(/Host rexec-production-db\n.*\n {2}HostName localhost\n/);
    const config = await sshConfigFile(door, alice);
    const refused = await runProgram('ssh', [
      ...['-F', config, '-o', 'LogLevel=INFO', '-W', `production-db:${sshd.port}`, 'postern'],
    ]);
    expect(refused.stderr).toContain('"production-db" is shared with you with limits');
    await door.ssh('share remove production-db alice');
  });

  it('a key with a tag reaches the host when it carries the tag', async () => {
    await door.ssh('ssh-key add --name=ci --tag=ci', { stdin: second.admin.publicKey });
    const reach = async () =>
      (await viaConfig(await sshConfigFile(door, second.admin), ['rexec-production-db', 'echo ok'])).text;
    expect(await reach()).toBe('');
    await door.ssh('tag production-db ci');
    expect(await reach()).toBe('ok\n');
  });
});

it('ssh -J through two gateways: each dials only what is registered with it', async () => {
  await door.ssh(`host add "Second gateway" x@127.0.0.1:${second.port}`);
  await second.ssh(`host add prod ${target}`);
  await second.ssh('ssh-key add --name=first', { stdin: door.admin.publicKey });
  const config = await temporaryFile(
    'config',
    `Host *
  IdentityFile ${door.admin.file}
  IdentitiesOnly yes
  BatchMode yes
  LogLevel ERROR
  StrictHostKeyChecking accept-new
  UserKnownHostsFile ${await temporaryFile('known_hosts', '')}
`,
  );
  const chain = `a@127.0.0.1:${door.port},b@127.0.0.1:${second.port}`;
  const through = (...args: string[]) => runProgram('ssh', ['-F', config, '-J', chain, ...args]);
  const reached = await through('-p', String(sshd.port), 'root@127.0.0.1', 'echo both; exit 4');
  expect([reached.text, reached.stderr, reached.status]).toEqual(['both\n', '', 4]);
  const elsewhere = await through('-p', String(door.port), 'root@127.0.0.1', 'true');
  expect(elsewhere.status).toBe(255);
});
