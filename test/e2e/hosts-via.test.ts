/** Hosts that are reached through other hosts (--via), end to end and through the gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { temporaryFile } from '../support/gateway.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { type KeyPair, makeKeyPair, runProgram } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let near: Sshd;
let far: Sshd;
let own: KeyPair;
beforeAll(async () => {
  door = await startHostsBehind();
  own = await makeKeyPair();
  near = await startSshd([...(await lettingIn(door.identity)), 'LogLevel VERBOSE']);
  far = await startSshd(await lettingIn(door.identity, own));
  await door.addHost('near', near.port);
  // Only whoever looks it up on the way there finds the name.
  await door.addHost('far', far.port, { via: 'host-near', hostname: 'localhost' });
});
afterAll(async () => {
  await Promise.all([door.stop(), near.stop(), far.stop()]);
});

const connections = async ({ logged }: Sshd) => (await logged()).match(/Accepted publickey/g)?.length ?? 0;

describe('a host that is reached through another', () => {
  it('runs a session through the gateway', async () => {
    const outcome = await door.ssh('echo $SSH_CONNECTION; exit 3', { login: 'rexec-far' });
    expect(outcome).toMatchObject({ stderr: '', status: 3 });
    expect(outcome.text.trim().split(' ')[3]).toBe(String(far.port));
  });

  it('is reached end to end by a jump, with the key of the person', async () => {
    const config = await temporaryFile(
      'config',
      `Host gw
  HostName 127.0.0.1
  Port ${door.port}
  IdentityFile ${door.admin.file}
  UserKnownHostsFile ${door.knownHosts}
Host rexec-far
  Port ${far.port}
  User root
  ProxyJump gw
  IdentityFile ${own.file}
  HostKeyAlias [127.0.0.1]:${far.port}
  UserKnownHostsFile ${far.knownHosts}
Host *
  IdentitiesOnly yes
  LogLevel ERROR
`,
    );
    const outcome = await runProgram('ssh', ['-F', config, 'rexec-far', 'echo there; exit 4']);
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['there\n', '', 4]);
  });

  it('shares the way there with whoever goes it at the same time', async () => {
    const before = await connections(near);
    const all = await Promise.all([1, 2, 3].map(() => door.ssh('sleep 0.3', { login: 'rexec-far' })));
    expect(all.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect((await connections(near)) - before).toBeLessThanOrEqual(1);
  });

  it('two hosts may lie between', async () => {
    await door.addHost('middle', far.port, { via: 'host-near' });
    await door.addHost('end', near.port, { via: 'host-middle' });
    expect(await door.ssh('exit 5', { login: 'rexec-end' })).toMatchObject({ stderr: '', status: 5 });
  });

  it('a sentence says where the way ends', async () => {
    await door.addHost('closed', await freePort(), { via: 'host-near', hostKeys: [] });
    const { stderr, status } = await door.ssh('true', { login: 'rexec-closed' });
    expect(stderr).toContain('postern: closed cannot be reached from the gateway (by way of near: ');
    expect(status).toBe(255);
  });

  it('a changed host key on the way is refused, and nothing goes through it', async () => {
    const other = await makeKeyPair();
    const pinned = [other.publicKey.split(' ').slice(0, 2).join(' ')];
    await door.addHost('spoofed', near.port, { hostKeys: pinned });
    await door.addHost('beyond', far.port, { via: 'host-spoofed' });
    const before = await connections(far);
    const { stderr } = await door.ssh('true', { login: 'rexec-beyond' });
    expect(stderr).toContain('HAS CHANGED');
    expect(await connections(far)).toBe(before);
  });

  it('its keys are scanned through the other', async () => {
    const added = await door.ssh(`host add scanned root@localhost:${far.port} --via=near --json`);
    expect(added.status).toBe(0);
    const row = (await door.store.list('hosts')).find(({ slug }) => slug === 'scanned');
    expect(row?.hostKeys?.map((key) => key.split(' ')[0])).toEqual(['ssh-ed25519']);
  });
});
