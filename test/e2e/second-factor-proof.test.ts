/** What a connection has shown of the second factor, and what it may do by that. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedText } from '../support/data-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { answering, type Enrolled, enrollOverSsh, movedClock } from '../support/second-factor.ts';
import { type KeyPair, makeKeyPair, runProgram } from '../support/ssh-client.ts';

const clock = movedClock();
let door: TestGateway;
let alice: KeyPair;
let factor: Enrolled;
/** Opened before the account had a second factor. */
let early: Client;
beforeAll(async () => {
  door = await startTestGateway({ overrides: { clock }, config: { mfaRememberHours: 2 } });
  alice = await door.addMember('alice');
  early = await connectRaw(door.port, { privateKey: await readFile(alice.file) });
  factor = await enrollOverSsh(door, alice, clock);
});
afterAll(async () => {
  early.end();
  await door.stop();
});

function exec(client: Client, command: string): Promise<{ status: number; stderr: string; stdout: string }> {
  return new Promise((resolve, reject) =>
    client.exec(command, (error, stream) => {
      if (error) return reject(error);
      const result = { status: -1, stderr: '', stdout: '' };
      stream.on('data', (chunk: Buffer) => {
        result.stdout += chunk.toString();
      });
      stream.stderr.on('data', (chunk: Buffer) => {
        result.stderr += chunk.toString();
      });
      stream.on('exit', (status: number) => {
        result.status = status;
      });
      stream.on('close', () => resolve(result));
      stream.end();
    }),
  );
}

const newKey = async () => `ssh-key add "${(await makeKeyPair()).publicKey}"`;

describe('a connection from before there was a second factor', () => {
  it('goes on, but adds no key until it has given a code, which is good once', async () => {
    expect((await exec(early, 'ls')).status).toBe(0);
    const refused = await exec(early, await newKey());
    expect(refused.stderr).toContain('"ssh-key add" needs your second factor');
    expect(refused.status).toBe(1);
    expect((await exec(early, 'mfa verify 123456')).stderr).toContain('this code is wrong');
    expect((await exec(early, await newKey())).status).toBe(1);

    const code = factor.nextCode();
    expect(await exec(early, `mfa verify ${code}`)).toMatchObject({ status: 0 });
    expect((await exec(early, `mfa verify ${code}`)).stderr).toContain('this code is wrong');
    expect((await exec(early, await newKey())).status).toBe(0);
  });
});

describe('a remembered login', () => {
  const whoami = async (key: KeyPair, ...answers: string[]) => {
    const { options, asked } = await answering(...answers);
    const outcome = await door.ssh('mfa status --json', { key, ...options });
    return { ...outcome, asked: (await asked()).length };
  };

  it('is not asked again, for this key and for so long, and lets no key in', async () => {
    expect(await whoami(alice, factor.nextCode())).toMatchObject({ status: 0, asked: 1 });
    const again = await whoami(alice);
    expect(again).toMatchObject({ status: 0, asked: 0 });
    expect(JSON.parse(again.text)).toMatchObject({ connection: 'remembered' });

    const add = await door.ssh(await newKey(), { key: alice });
    expect(add.stderr).toContain('"ssh-key add" needs your second factor');
    expect(add.status).toBe(1);

    clock.advance(2 * 3_600_000);
    expect((await whoami(alice, 'wrong', 'wrong', 'wrong')).status).toBe(255);
  });

  it('another key of the account is asked for itself', async () => {
    const other = await makeKeyPair();
    const { options } = await answering(factor.nextCode());
    const added = await door.ssh(`ssh-key add "${other.publicKey}"`, { key: alice, ...options });
    expect(added.status).toBe(0);
    expect(await whoami(alice)).toMatchObject({ status: 0, asked: 0 });
    expect(await whoami(other, 'wrong', 'wrong', 'wrong')).toMatchObject({ status: 255, asked: 3 });
  });
});

describe('an admin who lost phone and recovery codes', () => {
  it('is helped by the operator, whom no second factor stops', async () => {
    const { options } = await answering(factor.nextCode());
    expect((await door.ssh('mfa status', { key: alice, ...options })).text).toContain('MFA: on');
    const boss = await door.addMember('boss', 'admin');
    await enrollOverSsh(door, boss, clock);
    expect((await door.ssh('whoami', { key: boss, args: ['-o', 'BatchMode=yes'] })).status).toBe(255);
    const main = new URL('../../src/main.ts', import.meta.url).pathname;
    const reset = await runProgram(process.execPath, [
      main,
      'mfa',
      'reset',
      'boss',
      `--data=${door.dataDir}`,
    ]);
    expect([reset.stderr, reset.text]).toEqual(['', '"boss" has no second factor any more.\n']);
    expect((await door.ssh('whoami', { key: boss, args: ['-o', 'BatchMode=yes'] })).status).toBe(0);
  });
});

/** 0 of a file that was put in another's place meanwhile. */
const modeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
};

describe('what is kept', () => {
  it('is for the gateway alone to read, and holds no recovery code', async () => {
    const entries = await readdir(door.dataDir, { recursive: true });
    const modes = await Promise.all(entries.map((name) => modeOf(join(door.dataDir, name))));
    expect(modes.filter((mode) => (mode & 0o077) !== 0)).toEqual([]);
    const text = await storedText(door.dataDir);
    expect(text).toContain(factor.secret);
    for (const code of factor.recoveryCodes) expect(text).not.toContain(code.replaceAll('-', ''));
  });

  it('stands over a restart', async () => {
    const { dataDir, hostKeysDir, admin, stop } = door;
    await door.gateway.stop();
    door = await startTestGateway({ folders: { dataDir, hostKeysDir }, admin, overrides: { clock } });
    // Not remembered, for this one is not configured to.
    const { options, asked } = await answering(factor.nextCode());
    expect((await door.ssh('whoami', { key: alice, ...options })).status).toBe(0);
    expect(await asked()).toHaveLength(1);
    await door.gateway.stop();
    door = { ...door, stop };
  });
});
