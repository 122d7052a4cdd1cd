/** What people read when a session through the gateway fails, at the host or on the way to it. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type HostsBehind, hostKeysOf, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { collect, makeKeyPair, spawnSsh } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let sshd: Sshd;
beforeAll(async () => {
  door = await startHostsBehind();
  sshd = await startSshd(await lettingIn(door.identity));
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop()]);
});

const to = async (name: string, command = 'true') => {
  const { stderr, status } = await door.ssh(command, { login: `rexec-${name}` });
  return { sentence: stderr.trim(), status };
};
const lastRefusal = () => door.logged().findLast(({ audit }) => audit === 'refused');

describe('a host that cannot be logged in to says why', () => {
  it('nobody listens', async () => {
    await door.addHost('closed', await freePort(), { hostKeys: [] });
    expect(await to('closed')).toEqual({
      sentence: 'postern: 127.0.0.1 cannot be reached from the gateway (connection refused).',
      status: 255,
    });
  });

  it('there is no such name', async () => {
    await door.addHost('nowhere', 22, { hostname: 'nowhere.invalid', hostKeys: [] });
    const { sentence } = await to('nowhere');
    expect(sentence).toBe('postern: nowhere.invalid cannot be reached from the gateway (no such name).');
  });

  it('something else answers there', async () => {
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => web.once('listening', resolve));
    await door.addHost('web', (web.address() as { port: number }).port, { hostKeys: [] });
    const { sentence, status } = await to('web');
    expect(sentence).toMatch(/^postern: web cannot be reached from the gateway \(.+\)\.$/);
    expect(status).toBe(255);
    web.close();
  });

  it('its host key has changed: both fingerprints, nothing is sent, and it is audited', async () => {
    const other = await makeKeyPair();
    const pinned = other.publicKey.split(' ').slice(0, 2).join(' ');
    await door.addHost('changed', sshd.port, { hostKeys: [pinned] });
    const before = (await sshd.logged()).length;
    const { sentence, status } = await to('changed');
    expect(sentence).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED!');
    expect(sentence).toContain(`ssh-ed25519 ${other.fingerprint} is pinned`);
    expect(sentence).toMatch(/shows the host key ssh-ed25519 SHA256:/);
    expect(status).toBe(255);
    expect(lastRefusal()).toMatchObject({ reason: 'host-key-changed' });
    expect((await sshd.logged()).slice(before)).not.toMatch(/publickey|Accepted|user root/);
  });

  it('another kind of key than the pinned one is no way round it', async () => {
    const rsa = await makeKeyPair('rsa');
    await door.addHost('rsa', sshd.port, { hostKeys: [rsa.publicKey.split(' ').slice(0, 2).join(' ')] });
    expect((await to('rsa')).sentence).toContain('HAS CHANGED');
  });

  it('its host key is not pinned yet', async () => {
    await door.addHost('unpinned', sshd.port, { hostKeys: [] });
    const { sentence } = await to('unpinned');
    expect(sentence).toMatch(/^postern: the host key of "unpinned" is not pinned yet.+ssh-ed25519 SHA256:/);
    expect(sentence).toContain('"host trust unpinned"');
  });

  it('it does not take the key', async () => {
    await door.addHost('stranger', sshd.port, { username: 'nobody', egressKey: true });
    const { sentence, status } = await to('stranger');
    expect(sentence).toContain(
      'postern: "stranger" does not let the gateway in as nobody. Tried: its identity file, the gateway\'s egress key. It wants: publickey',
    );
    expect(status).toBe(255);
  });

  it('the gateway has no key for it', async () => {
    const { identityFile: _, ...row } = await door.addHost('keyless', sshd.port);
    await door.store.transact((transaction) => transaction.put('hosts', row));
    const { sentence, status } = await to('keyless');
    expect(sentence).toContain(`end to end: ssh -J GATEWAY -p ${sshd.port} root@127.0.0.1`);
    expect(status).toBe(255);
  });

  it('its identity file is not there: its name is told to nobody', async () => {
    await door.addHost('lost', sshd.port, { identityFile: 'secret-name' });
    const { sentence } = await to('lost');
    expect(sentence).toContain('the gateway cannot log in to "lost" with its identity file');
    expect(sentence).not.toContain('secret-name');
  });

  it('a subsystem that it has not', async () => {
    await door.addHost('plain', sshd.port);
    const outcome = await door.ssh('sftp', { login: 'rexec-plain', args: ['-s'] });
    expect([outcome.stderr, outcome.status]).toEqual([
      'postern: "plain" does not start the subsystem sftp; its sshd may not be set up for it.\n',
      255,
    ]);
  });
});

describe('a member', () => {
  it('whose host has an identity file, without an admin behind it, cannot use it', async () => {
    const key = await door.addMember('mia');
    const [mia] = (await door.store.list('accounts')).filter(({ name }) => name === 'mia');
    await door.addHost('mias', sshd.port, { createdBy: mia?.id ?? '' });
    const { stderr } = await door.ssh('true', { login: 'rexec-mias', key });
    expect(stderr).toContain('no key to log in');
  });

  it('who was granted nothing is told what for a host that is not there', async () => {
    await door.addHost('closed-off', sshd.port);
    const key = await door.addMember('nia');
    const ask = async (name: string) =>
      (await door.ssh('true', { login: `rexec-${name}`, key })).stderr.replaceAll(name, 'NAME');
    expect(await ask('closed-off')).toBe(await ask('not-there'));
  });
});

describe('the host dies in the middle', () => {
  it('all that it sent arrives, then a sentence and status 255', async () => {
    const dying = await startSshd(await lettingIn(door.identity));
    await door.addHost('dying', dying.port);
    const child = spawnSsh(door, 'head -c 300000 /dev/zero; sleep 2; kill -9 $PPID; sleep 5', {
      login: 'rexec-dying',
      key: door.admin,
    });
    const { stdout, stderr, status } = await collect(child);
    expect(stdout.length).toBe(300_000);
    expect([stderr, status]).toEqual([
      'postern: the connection from the gateway to "dying" was lost: the host closed the connection.\n',
      255,
    ]);
    await dying.stop();
  });
});

describe('pinned host keys', () => {
  it('are compared at every connection', async () => {
    const row = await door.addHost('steady', sshd.port);
    expect(row.hostKeys).toEqual(await hostKeysOf(sshd.port));
    expect((await to('steady')).status).toBe(0);
  });
});
