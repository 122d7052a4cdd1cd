/** Rekeying, host key rotation and what the door tells of itself, with the real ssh. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { string } from '../../src/ssh/wire.ts';
import { type BareDoor, echo, openBareDoor } from '../support/bare-door.ts';
import { connectRaw } from '../support/raw-client.ts';
import { newer } from '../support/setup/newer-packages.ts';
import { collect, runProgram, spawnSsh, sshArguments } from '../support/ssh-client.ts';

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const verbose = ['-o', 'LogLevel=DEBUG1'];
const countOf = (text: string, pattern: RegExp) => (text.match(pattern) ?? []).length;

let door: BareDoor;
beforeAll(async () => {
  door = await openBareDoor();
  door.handler = echo;
});
afterAll(() => door.close());

describe('the newest OpenSSH', () => {
  const newest = (args: readonly string[], stdin: Buffer) =>
    runProgram(
      join(newer.openssh, 'ssh'),
      [...sshArguments(door, { key: door.key, args }), '-p', String(door.port), 'x@127.0.0.1', 'x'],
      { stdin, timeoutMs: 80_000 },
    );

  it('agrees on the post-quantum exchange by itself, and has nothing to warn of', async () => {
    const quiet = await newest(['-o', 'LogLevel=INFO'], Buffer.from('hi'));
    expect([quiet.text, quiet.stderr, quiet.status]).toEqual(['hi', '', 0]);
    const told = await newest(verbose, Buffer.from('hi'));
    expect(told.stderr).toContain('kex: algorithm: mlkem768x25519-sha256');
  });

  it('has new post-quantum keys many times while 150 MB flow each way', async () => {
    const sent = randomBytes(150 * 1024 * 1024);
    const outcome = await newest(['-o', 'RekeyLimit=10M', ...verbose], sent);
    expect(sha256(outcome.stdout)).toBe(sha256(sent));
    expect(countOf(outcome.stderr, /SSH2_MSG_NEWKEYS sent/g)).toBeGreaterThan(10);
  });
});

describe('rekeying', () => {
  it('from the client, many times, while 50 MB flow both ways', async () => {
    const sent = randomBytes(50 * 1024 * 1024);
    const outcome = await door.ssh('x', {
      stdin: sent,
      args: ['-o', 'RekeyLimit=2M', ...verbose],
      timeoutMs: 80_000,
    });
    expect(sha256(outcome.stdout)).toBe(sha256(sent));
    expect(countOf(outcome.stderr, /SSH2_MSG_NEWKEYS sent/g)).toBeGreaterThan(10);
  });

  it('from our side after so many bytes', async () => {
    const eager = await openBareDoor({ rekeyAfterBytes: 3 * 1024 * 1024 });
    eager.handler = echo;
    const sent = randomBytes(30 * 1024 * 1024);
    const outcome = await eager.ssh('x', { stdin: sent, args: verbose, timeoutMs: 80_000 });
    expect(sha256(outcome.stdout)).toBe(sha256(sent));
    expect(countOf(outcome.stderr, /SSH2_MSG_NEWKEYS sent/g)).toBeGreaterThan(10);
    await eager.close();
  });

  it('from both sides at once', async () => {
    const eager = await openBareDoor({ rekeyAfterBytes: 1024 * 1024 });
    eager.handler = echo;
    const sent = randomBytes(30 * 1024 * 1024);
    const outcome = await eager.ssh('x', {
      stdin: sent,
      args: ['-o', 'RekeyLimit=1M', ...verbose],
      timeoutMs: 80_000,
    });
    expect(sha256(outcome.stdout)).toBe(sha256(sent));
    await eager.close();
  });

  it('from our side after so long', async () => {
    const eager = await openBareDoor({ rekeyAfterMs: 300 });
    let told = '';
    eager.handler = async () => {
      await vi.waitUntil(() => countOf(told, /SSH2_MSG_NEWKEYS sent/g) > 3, { timeout: 20_000 });
      return { exitStatus: 4 };
    };
    const child = spawnSsh(eager, 'x', { key: eager.key, args: verbose });
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    expect((await collect(child)).status, told).toBe(4);
    await eager.close();
  });
});

describe('host keys', () => {
  it('are announced and proven: a client with UpdateHostKeys learns the other one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-known-'));
    const known = join(folder, 'known_hosts');
    const [ed25519Line] = (await readFile(door.knownHosts, 'utf8')).split('\n');
    await writeFile(known, `${ed25519Line}\n`);
    const args = ['-o', `UserKnownHostsFile=${known}`, '-o', 'UpdateHostKeys=yes'];
    // The proof comes while the session runs.
    const isLearnt = async () => (await readFile(known, 'utf8')).includes('ssh-rsa ');
    door.handler = async () => {
      await vi.waitUntil(isLearnt, { timeout: 20_000 });
      return { exitStatus: 0 };
    };
    expect((await door.ssh('x', { args })).status).toBe(0);
    door.handler = echo;
    expect(await isLearnt()).toBe(true);
  });
});

describe('what the door tells of itself', () => {
  it('server-sig-algs names what it takes, with its commas, and neither SHA-1 nor DSA', async () => {
    const outcome = await door.ssh('x', { args: verbose });
    const algorithms = /server-sig-algs=<([^>]*)>/.exec(outcome.stderr)?.[1]?.split(',');
    expect(algorithms).toEqual(
      expect.arrayContaining(['ssh-ed25519', 'ecdsa-sha2-nistp521', 'rsa-sha2-512']),
    );
    expect(algorithms).not.toContain('ssh-rsa');
    expect(algorithms).not.toContain('ssh-dss');
    expect(outcome.stderr).toContain('ping@openssh.com');
  });

  it('pings are answered, also many of them, and do no harm', async () => {
    const client = await connectRaw(door.port, { privateKey: await readFile(door.key.file) });
    for (let n = 0; n < 1_000; n++) {
      sendPayload(client as never, Buffer.concat([Buffer.from([192]), string('x'.repeat(100))]));
    }
    const status = await new Promise((resolve) =>
      client.exec('x', (_error, stream) => {
        stream.on('exit', resolve).resume();
        stream.end('x');
      }),
    );
    expect(status).toBe(0);
    client.end();
  });
});
