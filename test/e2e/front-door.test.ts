/** The door with the real ssh, and with clients that no honest program is. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedText } from '../support/data-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw, openSocket, ScriptedAgent } from '../support/raw-client.ts';
import { makeKeyPair, runProgram, sshArguments } from '../support/ssh-client.ts';

let door: TestGateway;
beforeAll(async () => {
  door = await startTestGateway();
});
afterAll(() => door.stop());

const parsedKey = async (file: string): Promise<ssh2.ParsedKey> => {
  const parsed = ssh2.utils.parseKey(await readFile(file));
  if (parsed instanceof Error) throw parsed;
  return Array.isArray(parsed) ? (parsed[0] as ssh2.ParsedKey) : parsed;
};

describe('keys of every accepted type log in', () => {
  it.each([
    ['ed25519', []],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048']],
    ['rsa', ['-b', '3072']],
  ])('%s %j', async (type, extra) => {
    const key = await makeKeyPair(type, extra);
    const added = await door.ssh('ssh-key add', { stdin: `${key.publicKey}\n` });
    expect(added.stderr).toBe('');
    expect(added.status).toBe(0);
    const outcome = await door.ssh('whoami', { key });
    expect(outcome.text).toContain(key.fingerprint);
    expect(outcome.status).toBe(0);
  });

  it('rsa with rsa-sha2-256 too, and never with SHA-1', async () => {
    const key = await makeKeyPair('rsa', ['-b', '2048']);
    await door.ssh('ssh-key add', { stdin: key.publicKey });
    const sha256 = await door.ssh('whoami', { key, args: ['-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-256'] });
    expect(sha256.status).toBe(0);
    const sha1 = await door.ssh('whoami', { key, args: ['-o', 'PubkeyAcceptedAlgorithms=ssh-rsa'] });
    expect(sha1.status).toBe(255);
  });
});

describe('unknown keys', () => {
  it('get a sentence that says how to join', async () => {
    const outcome = await door.ssh('whoami', { key: await makeKeyPair(), args: ['-o', 'LogLevel=INFO'] });
    expect(outcome.status).toBe(255);
    expect(outcome.stderr).toContain('None of the keys you offered can log in here.');
    expect(outcome.stderr).toContain('Permission denied');
  });

  it('whose ssh has none is told to make one, and what to do with it then', async () => {
    const args = ['-o', 'LogLevel=INFO', '-o', 'IdentityFile=none', '-o', 'IdentityAgent=none'];
    const ssh = (loginName: string) =>
      runProgram('ssh', [...sshArguments(door, { args }), '-p', String(door.port), loginName]);
    const stranger = await ssh('x@127.0.0.1');
    expect(stranger.stderr).toContain('Your ssh offered no key. Make one with "ssh-keygen -t ed25519"');
    expect(stranger.stderr).toContain('ask an admin of this gateway for an invite');
    const invited = await ssh('join+abcdefghijklmnopqrstuvwxyz@127.0.0.1');
    expect(invited.stderr).toContain('or name yours with -i KEY; then use this invite again.');
    expect(invited.stderr).not.toContain('ask an admin');
  });

  it('whose invite is not valid read that, and not that they should ask for an invite', async () => {
    const outcome = await door.ssh(undefined, {
      key: await makeKeyPair(),
      login: 'join+abcdefghijklmnopqrstuvwxyz',
      args: ['-o', 'LogLevel=INFO'],
    });
    expect(outcome.stderr).toContain('this invite is not valid');
    expect(outcome.stderr).not.toContain('None of the keys you offered');
  });

  it('unknown-key-then-known: a client with many keys reaches its account with the right one', async () => {
    const strangers = await Promise.all(Array.from({ length: 8 }, () => makeKeyPair()));
    const args = strangers.flatMap((key) => ['-i', key.file]);
    const outcome = await runProgram('ssh', [
      ...sshArguments(door, { args: [...args, '-i', door.admin.file] }),
      '-p',
      String(door.port),
      'x@127.0.0.1',
      'whoami',
    ]);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toContain('Account: admin');
  });

  it('private-key-pasted: nothing of it is stored, logged or echoed', async () => {
    const key = await makeKeyPair();
    const secret = await readFile(key.file, 'utf8');
    const outcome = await door.ssh('ssh-key add', { stdin: secret });
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain('that is the private key');
    const body = secret.split('\n')[2] as string;
    expect(outcome.text + outcome.stderr).not.toContain(body);
    expect(JSON.stringify(door.logged())).not.toContain(body);
    expect(await storedText(door.dataDir)).not.toContain(body);
  });
});

describe('the log', () => {
  it('stdin-in-the-log: what a session was sent is never in it, and its lines stay small', async () => {
    const secret = await readFile((await makeKeyPair()).file, 'utf8');
    await door.ssh('ls', { stdin: secret });
    await door.ssh('whoami', { stdin: secret + 'x'.repeat(500_000) });
    const body = secret.split('\n')[2] as string;
    const lines = door.logged().map((line) => JSON.stringify(line));
    expect(lines.some((line) => line.includes('session-ended'))).toBe(true);
    expect(lines.filter((line) => line.includes(body))).toEqual([]);
    expect(lines.filter((line) => line.length > 4_000)).toEqual([]);
  });
});

describe('forged-signature', () => {
  it.each(['other key', 'garbage', 'empty'])('%s: refused', async (kind) => {
    const known = await parsedKey(door.admin.file);
    const other = await parsedKey((await makeKeyPair()).file);
    const sign = (_key: ssh2.ParsedKey, data: Buffer) =>
      kind === 'other key' ? (other.sign(data) as Buffer) : Buffer.alloc(kind === 'empty' ? 0 : 64, 7);
    const agent = new ScriptedAgent([known], sign);
    await expect(connectRaw(door.port, { agent })).rejects.toThrow(/authentication methods failed/);
  });
});

describe('offered-key', () => {
  it('a key that was offered but did not sign never becomes the identity', async () => {
    const member = await door.addMember('mallory');
    const admins = await parsedKey(door.admin.file);
    const own = await parsedKey(member.file);
    // Offers the admin's key, gets "yes, that one would do", and then signs with its own.
    const agent = new ScriptedAgent([admins, own], (key, data) =>
      key.getPublicSSH().equals(own.getPublicSSH())
        ? (own.sign(data) as Buffer)
        : new Error('I cannot sign with that'),
    );
    const client = await connectRaw(door.port, { agent });
    const output = await new Promise<string>((resolve, reject) => {
      client.exec('whoami', (error, stream) => {
        if (error) return reject(error);
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on('close', () => resolve(text));
      });
    });
    client.end();
    expect(output).toContain('Account: mallory');
    expect(output).not.toContain('admin');
  });
});

describe('peers that say nothing, or nonsense', () => {
  it('silent-peer and login-timeout: closed after LoginGraceTime, at every stage', async () => {
    const strict = await startTestGateway({ config: { loginGraceTimeMs: 300 } });
    try {
      const started = Date.now();
      const silent = openSocket(strict.port);
      const versionOnly = openSocket(strict.port, 'SSH-2.0-mute\r\n');
      await Promise.all([silent.closed, versionOnly.closed]);
      const elapsedMs = Date.now() - started;
      expect(elapsedMs).toBeGreaterThan(250);
      expect(elapsedMs).toBeLessThan(5_000);
      const refusals = strict.logged().filter((line) => line['reason'] === 'no login in time');
      expect(refusals.length).toBeGreaterThanOrEqual(2);
    } finally {
      await strict.stop();
    }
  });

  it('20 bytes of garbage, before or after the version line, do no harm', async () => {
    const garbage = Buffer.from('\u0000\u0001\u0002garbage garbage!!\r\n');
    await openSocket(door.port, garbage).closed;
    await openSocket(door.port, Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)])).closed;
    expect((await door.ssh('whoami')).status).toBe(0);
  });

  it('one source cannot hold more unauthenticated connections than PerSourceMaxStartups', async () => {
    const strict = await startTestGateway({ config: { perSourceMaxStartups: 3 } });
    try {
      const held = Array.from({ length: 3 }, () => openSocket(strict.port));
      // Whom the gateway greets, it has counted.
      await Promise.all(held.map(({ socket }) => once(socket, 'data')));
      const refused = await openSocket(strict.port).closed;
      expect(refused.length).toBe(0);
      for (const { socket } of held) socket.destroy();
      await expect.poll(async () => (await strict.ssh('whoami')).status).toBe(0);
    } finally {
      await strict.stop();
    }
  });

  it('too many failed signatures end the connection after MaxAuthTries', async () => {
    const known = await parsedKey(door.admin.file);
    let signatures = 0;
    const agent = new ScriptedAgent(
      Array.from({ length: 20 }, () => known),
      () => {
        signatures++;
        return Buffer.alloc(64, 1);
      },
    );
    await expect(connectRaw(door.port, { agent })).rejects.toThrow();
    expect(signatures).toBeLessThanOrEqual(6);
  });
});

describe('host-key-kept', () => {
  it('a second start with the same folder has the same keys', async () => {
    const first = await startTestGateway();
    const { dataDir, hostKeysDir, admin } = first;
    const keys = first.gateway.hostKeys.map((key) => key.fingerprint);
    expect(keys).toHaveLength(2);
    await first.gateway.stop();
    const second = await startTestGateway({ folders: { dataDir, hostKeysDir }, admin });
    expect(second.gateway.hostKeys.map((key) => key.fingerprint)).toEqual(keys);
    expect((await second.ssh('whoami')).status).toBe(0);
    await second.stop();
    await first.stop();
  });
});
