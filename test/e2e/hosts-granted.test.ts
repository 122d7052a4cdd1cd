/** Hosts that the gateway logs in to, and what a grant, a changed host key and a demoted admin leave of it. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { temporaryFile } from '../support/gateway.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { collect, type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: Api;
let sshd: Sshd;
let alice: KeyPair;
let boss: KeyPair;
beforeAll(async () => {
  door = await startApi({ config: { domain: 'localhost' } });
  [alice, boss] = [await door.addMember('alice'), await door.addMember('boss', 'admin')];
  const identity = await makeKeyPair();
  const folder = join(door.dataDir, 'identities');
  await mkdir(folder, { mode: 0o700 });
  await copyFile(identity.file, join(folder, 'legacy'));
  const egress = (await door.ssh('host key')).text;
  const authorized = await temporaryFile('authorized_keys', `${identity.publicKey}\n${egress}`);
  sshd = await startSshd([
    `AuthorizedKeysFile ${authorized}`,
    'StrictModes no',
    'Subsystem sftp internal-sftp',
  ]);
  const added = await door.ssh(`host add legacy ${address()} --identity-file=legacy`, { key: boss });
  expect(added.text).toMatch(/^Connect with: ssh -p \d+ rexec-legacy@localhost$/m);
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop()]);
});

const address = () => `root@127.0.0.1:${sshd.port}`;
const at = async (args: readonly string[], key?: KeyPair) => viaConfig(await sshConfigFile(door, key), args);

describe('what a grant leaves of a host through the gateway', () => {
  it('nothing without one', async () => {
    const refused = await door.ssh('true', { login: 'rexec-legacy', key: alice });
    expect([refused.status, refused.stderr]).toEqual([
      255,
      'postern: no target "legacy" for you here. You can reach no target yet; ask an admin or an owner to share one with you.\n',
    ]);
  });

  it('all of it, by the printed ssh_config', async () => {
    await door.ssh('share add legacy alice');
    expect((await at(['rexec-legacy', 'echo in; exit 5'], alice)).status).toBe(5);
    expect((await at(['-tt', 'rexec-legacy', 'tty'], alice)).text).toContain('/dev/pts/');
    const stranger = await door.ssh('true', { login: 'app+legacy', key: alice });
    expect(stranger.stderr).toBe(
      'postern: you may not enter legacy as "app"; leave the user name out to use the default one.\n',
    );
  });

  it('only what its limits say', async () => {
    await door.ssh('share add legacy alice --no-pty --no-forwarding --no-sftp');
    expect((await at(['rexec-legacy', 'echo in'], alice)).text).toBe('in\n');
    expect((await at(['-tt', 'rexec-legacy', 'tty'], alice)).stderr).toContain(
      'a terminal is not allowed here',
    );
    expect((await at(['-s', 'rexec-legacy', 'sftp'], alice)).stderr).toContain(
      'file transfer is not allowed',
    );
    const port = await freePort();
    const forwarded = await at(['-W', `127.0.0.1:${port}`, '-o', 'LogLevel=INFO', 'rexec-legacy'], alice);
    expect(forwarded.stderr).toMatch(/you may not forward into legacy|administratively prohibited/);
    const listening = ['-o', 'ExitOnForwardFailure=yes', '-R', `${port}:127.0.0.1:1`, 'rexec-legacy', 'true'];
    expect((await at(listening, alice)).status).toBe(255);
    await door.ssh('share add legacy alice');
  });

  it.each([
    ['the grant withdrawn', 'share remove legacy alice'],
    ['the registrant demoted', 'account role boss member'],
  ])('ends within a second: %s', async (_what, withdrawal) => {
    await door.ssh('share add legacy alice');
    const config = await sshConfigFile(door, alice);
    const child = spawn('ssh', ['-F', config, 'rexec-legacy', 'echo up; exec sleep 100']);
    const running = collect(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await door.ssh(withdrawal);
    const outcome = await running;
    expect([outcome.status, outcome.stderr]).toEqual([255, 'postern: you may no longer use legacy.\n']);
    // By the log: ssh may take that long to start, and to end.
    const timeOf = (event: string, fact: string, value: string) =>
      Number(door.logged().findLast((line) => line['audit'] === event && line[fact] === value)?.['time']);
    const begun = timeOf('session-started', 'what', withdrawal);
    const ended = () => timeOf('session-ended', 'target', 'legacy');
    await expect.poll(ended).toBeGreaterThanOrEqual(begun);
    expect(ended() - begun).toBeLessThan(1_000);
  });

  it('borrowed-identity: with the registrant no admin, no key of the gateway’s serves', async () => {
    const refused = await door.ssh('true', { login: 'rexec-legacy' });
    expect(refused.status).toBe(255);
    expect(refused.stderr).toMatch(/^postern: .*legacy/);
  });
});

describe('host keys', () => {
  it('a host with the egress key lets the gateway in', async () => {
    await door.ssh(`host add ours ${address()} --egress-key`);
    expect((await door.ssh('echo in', { login: 'rexec-ours' })).text).toBe('in\n');
  });

  it('a token reaches it by POST /exec as far as its commands say', async () => {
    const line = 'ssh ours echo by a token';
    const token = await door.apiKey('--label=opens --cmds=ssh');
    expect(await door.ask({ token, line })).toMatchObject({ status: 200, body: 'by a token\n' });
    const lists = await door.apiKey('--label=lists --cmds=ls');
    expect((await door.ask({ token: lists, line })).status).toBe(403);
  });

  it('changed-host-key: nothing is sent to it until an admin has trusted it', async () => {
    const { publicKey } = await makeKeyPair();
    await door.ssh(`host add changed ${address()} --egress-key --host-key=-`, { stdin: publicKey });
    const refused = await door.ssh('echo in', { login: 'rexec-changed' });
    expect([refused.status, refused.text]).toEqual([255, '']);
    expect(refused.stderr).toMatch(/host trust changed/);
    const asked = await door.ssh('host trust changed');
    expect([asked.status, asked.text.match(/SHA256:/g)?.length]).toEqual([1, 2]);
    expect((await door.ssh('host trust changed --yes')).status).toBe(0);
    expect((await door.ssh('echo in', { login: 'rexec-changed' })).text).toBe('in\n');
  });

  it('an unpinned host waits for that, too', async () => {
    const port = await freePort();
    const added = await door.ssh(`host add later root@127.0.0.1:${port} --egress-key`);
    expect(added.stderr).toContain('"later" is unpinned');
    const relay = createServer((socket) => {
      const onward = connect(sshd.port, '127.0.0.1');
      for (const each of [socket, onward]) each.on('error', () => {});
      socket.pipe(onward).pipe(socket);
    }).listen(port, '127.0.0.1');
    const refused = await door.ssh('echo in', { login: 'rexec-later' });
    expect([refused.status, refused.text]).toEqual([255, '']);
    expect(refused.stderr).toContain('host trust later');
    expect((await door.ssh('host trust later --yes')).status).toBe(0);
    expect((await door.ssh('ssh later echo by the lobby')).text).toBe('by the lobby\n');
    relay.close();
  });
});
