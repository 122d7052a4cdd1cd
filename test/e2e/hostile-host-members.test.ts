/** Members who registered a host, or were granted one, and reach for more: other people's names, users and forwards. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { msFromCommandToEnd } from '../support/forward.ts';
import { freePort } from '../support/free-port.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { collect, type KeyPair, spawnSsh } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let sshd: Sshd;
let mallory: KeyPair;
const servers: Server[] = [];
const accountId = async (wanted: string) =>
  (await door.store.list('accounts')).find(({ name }) => name === wanted)?.id ?? '';
const listening = async (onConnection: (socket: Socket) => void) => {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
};
beforeAll(async () => {
  door = await startHostsBehind({ config: { membersMayAddHosts: true } });
  sshd = await startSshd([...(await lettingIn(door.identity)), 'AllowTcpForwarding yes']);
  mallory = await door.addMember('mallory');
  await door.addHost('host', sshd.port);
});
afterAll(async () => {
  for (const server of servers) server.close();
  await Promise.all([door.stop(), sshd.stop()]);
});

describe('a host that is called as another is addressed', () => {
  const whatAnswers = async (at: string, key: KeyPair) => {
    const args = ['-W', at, '-o', 'LogLevel=INFO'];
    const { text } = await door.ssh(undefined, { key, args });
    return text;
  };

  it('borrowed-address: the name a member chose does not lead others away from it', async () => {
    const port = await listening((socket) => socket.end('the real one\n'));
    await door.addHost('real', port, { hostname: 'localhost', shared: true });
    // A member may not register 127.0.0.1, but what matters is who did.
    const elsewhere = await listening((socket) => socket.end('another one\n'));
    const createdBy = await accountId('mallory');
    await door.addHost('fake', elsewhere, {
      name: 'Localhost',
      slug: 'localhost',
      ports: [port],
      shared: true,
      createdBy,
    });
    const victim = await door.addMember('victim');
    expect(await whatAnswers(`localhost:${port}`, victim)).toBe('the real one\n');
    expect(await whatAnswers(`real:${port}`, victim)).toBe('the real one\n');
    // By its own name it is reached, and refused for where it leads.
    expect(await whatAnswers(`rexec-localhost:${elsewhere}`, victim)).toBe('');
  });
});

describe('a grant that is narrowed', () => {
  const opened = async (name: string, ...args: readonly string[]) => {
    const key = await door.addMember(name);
    expect((await door.ssh(`share add host ${name}`)).status).toBe(0);
    const child = spawnSsh(door, 'echo ready; cat', { login: 'rexec-host', key, args });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  };
  const reaches = (port: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });

  it('ends what was forwarded by -L, and not the session beside it', async () => {
    const echo = await listening((socket) => socket.pipe(socket));
    const port = await freePort();
    const child = await opened('lara', '-L', `${port}:localhost:${echo}`);
    const forward = connect(port, '127.0.0.1').on('error', () => {});
    forward.write('x');
    await new Promise((resolve) => forward.once('data', resolve));
    const ended = once(forward, 'close');
    forward.on('end', () => forward.destroy());
    await door.ssh('share add host lara --no-forwarding');
    await ended;
    await expect.poll(() => msFromCommandToEnd(door, 'share add', 'lara')).toBeLessThan(1_000);
    expect(child.exitCode).toBe(null);
    child.kill();
  });

  it('ends listening by -R', async () => {
    const port = await freePort();
    const child = await opened('rosa', '-R', `${port}:localhost:1`);
    expect(await reaches(port)).toBe(true);
    await door.ssh('share add host rosa --no-forwarding');
    await expect.poll(() => reaches(port)).toBe(false);
    expect(child.exitCode).toBe(null);
    child.kill();
  });
});

describe('a way through a host that is granted for some users', () => {
  it('borrowed-user: is closed, for the gateway goes it as another', async () => {
    const key = mallory;
    await door.addHost('bastion', sshd.port, { users: ['app'] });
    expect((await door.ssh('share add bastion mallory --users=app')).status).toBe(0);
    const added = await door.ssh('host add inner root@inner.example.com --via=bastion', { key });
    expect(added.stderr).toContain('the way to "inner" (--via) is closed');
    await door.ssh('share add bastion mallory --users=app,root');
    expect((await door.ssh('host add inner root@inner.example.com --via=bastion', { key })).status).toBe(0);
    await door.ssh('share add bastion mallory --users=app');
    const { stderr } = await door.ssh('true', { login: 'rexec-inner', key });
    expect(stderr).toContain('the way to "inner" (--via) is closed');
  });
});

describe('the pool of connections to hosts', () => {
  it("borrowed-login: one person's connection is never another's, nor a second one of theirs", async () => {
    const others = await door.addMember('olga');
    await door.ssh('share add host olga');
    const logins = async () => (await sshd.logged()).match(/Accepted publickey/g)?.length ?? 0;
    const before = await logins();
    const run = (key: KeyPair) =>
      collect(spawnSsh(door, 'sleep 0.5; echo $PPID', { login: 'rexec-host', key }));
    const outcomes = await Promise.all([run(door.admin), run(door.admin), run(others)]);
    expect(new Set(outcomes.map(({ text }) => text)).size).toBe(3);
    expect((await logins()) - before).toBe(3);
  });
});
