import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeys } from '../../../src/keys/create-keys.ts';
import type { AddKeyOptions, Keys, KeyToAdd } from '../../../src/keys/keys.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import type { Store } from '../../../src/store/store.ts';
import { generateKey, quickKey } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { accountRow } from '../../support/store-rows.ts';

const clock = { nowMs: Date.parse('2030-01-01T00:00:00Z'), now: () => clock.nowMs };

let store: Store;
let keys: Keys;

const parsed = (...lines: string[]): KeyToAdd[] => parseKeysToAdd(lines.join('\n'));
const add = (line: string, options: AddKeyOptions = {}, accountId = 'a') =>
  keys.add(accountId, parsed(line), options);
const namesOf = async (accountId = 'a') => (await keys.list(accountId)).map(({ name }) => name);

beforeEach(async () => {
  clock.nowMs = Date.parse('2030-01-01T00:00:00Z');
  store = createMemoryStore();
  keys = createKeys({ store, clock, maxKeysPerAccount: 5 });
  await store.transact(async (t) => {
    await t.put('accounts', accountRow('a', 'alice'));
    await t.put('accounts', accountRow('b', 'bob'));
  });
});

describe('adding keys', () => {
  it('keeps what the line and the options say', async () => {
    const line = quickKey();
    const [row] = await keys.add('a', parsed(`from="10.0.0.1",no-pty ${line} laptop`), {
      tag: 'ci',
      expiresAt: '2030-02-01T00:00:00.000Z',
    });
    expect(row).toMatchObject({
      accountId: 'a',
      name: 'laptop',
      publicKey: line,
      keyType: 'ssh-ed25519',
      kind: 'user',
      createdAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-02-01T00:00:00.000Z',
      tag: 'ci',
      restrictions: { from: '10.0.0.1', noPty: true },
    });
    expect(await keys.findByFingerprint(row?.fingerprint as string)).toEqual(row);
  });

  it('names a key by --name, else its comment, else type and fingerprint', async () => {
    const bare = quickKey();
    const [named] = await add(`${quickKey()} comment`, { name: 'given' });
    const [commented] = await add(`${quickKey()} comment`);
    const [unnamed] = await add(bare);
    expect([named?.name, commented?.name]).toEqual(['given', 'comment']);
    expect(unnamed?.name).toBe(`ssh-ed25519 ${unnamed?.fingerprint.slice(7, 15)}`);
  });

  it('gives a taken comment a number, and refuses a taken --name', async () => {
    await keys.add('a', parsed(`${quickKey()} c`, `${quickKey()} c`), {});
    await add(`${quickKey()} c`);
    expect(await namesOf()).toEqual(['c', 'c (2)', 'c (3)']);
    await expect(add(quickKey(), { name: 'c (2)' })).rejects.toMatchObject({ code: 'key-name-taken' });
    await add(`${quickKey()} c`, {}, 'b');
    expect(await namesOf('b')).toEqual(['c']);
  });

  it('cuts a long comment to 255 characters, whole ones, and refuses a long or hostile --name', async () => {
    const comment = '💥'.repeat(300);
    await add(`${quickKey()} ${comment}`);
    await add(`${quickKey()} ${comment}`);
    const [first, second] = await namesOf();
    expect(first).toBe('💥'.repeat(255));
    expect(second).toBe(`${'💥'.repeat(251)} (2)`);
    for (const name of ['', 'x'.repeat(256), 'a\x1b[2Jb', ' a', '\u202e']) {
      await expect(add(quickKey(), { name })).rejects.toMatchObject({ code: 'usage' });
    }
  });

  it('takes __proto__ and the like for ordinary names', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await add(`${quickKey()} ${name}`);
      expect((await keys.get('a', name)).name).toBe(name);
    }
    await expect(keys.get('a', 'hasOwnProperty')).rejects.toMatchObject({ code: 'key-not-found' });
  });

  it('adds all or none', async () => {
    const known = quickKey();
    await add(`${known} first`);
    const several = keys.add('a', parsed(quickKey(), quickKey(), known), {});
    await expect(several).rejects.toMatchObject({
      code: 'duplicate-key',
      message: expect.stringContaining('first'),
    });
    const twice = quickKey();
    await expect(keys.add('a', parsed(twice, twice), {})).rejects.toMatchObject({ code: 'duplicate-key' });
    await expect(keys.add('a', parsed(quickKey(), quickKey()), { name: 'one' })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(await namesOf()).toEqual(['first']);
  });

  it('refuses a key of another account without saying whose', async () => {
    const line = quickKey();
    await add(`${line} hers`);
    const refused = add(line, {}, 'b');
    await expect(refused).rejects.toMatchObject({ code: 'foreign-key' });
    await expect(refused).rejects.not.toThrow(/alice|hers/);
  });

  it('refuses more keys than an account may hold', async () => {
    await keys.add('a', parsed(...Array.from({ length: 5 }, quickKey)), {});
    await expect(add(quickKey())).rejects.toMatchObject({ code: 'too-many-keys' });
    await add(quickKey(), {}, 'b');
  });

  it('refuses a key for an account that is gone', async () => {
    await expect(add(quickKey(), {}, 'nobody')).rejects.toMatchObject({ code: 'account-not-found' });
  });

  it('keeps the earlier of two expiries, and refuses one that is past', async () => {
    const line = `expiry-time="20300110Z" ${quickKey()} x`;
    expect((await add(line, { expiresAt: '2031-01-01T00:00:00.000Z' }))[0]?.expiresAt).toBe(
      '2030-01-10T00:00:00.000Z',
    );
    const other = `expiry-time="20300110Z" ${quickKey()} y`;
    expect((await add(other, { expiresAt: '2030-01-05T00:00:00.000Z' }))[0]?.expiresAt).toBe(
      '2030-01-05T00:00:00.000Z',
    );
    await expect(add(`expiry-time="20200110Z" ${quickKey()}`)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('finding a key', () => {
  it('works by name, fingerprint and public key, in the own account only', async () => {
    const line = quickKey();
    const [row] = await add(`${line} laptop`);
    const fingerprint = row?.fingerprint as string;
    for (const way of ['laptop', fingerprint, `${fingerprint}=`, line, `${line} another comment`]) {
      expect((await keys.get('a', way)).id).toBe(row?.id);
      await expect(keys.get('b', way)).rejects.toMatchObject({ code: 'key-not-found' });
    }
  });

  it('cannot be led astray by a key that is named like another', async () => {
    const line = quickKey();
    const [row] = await add(`${line} target`);
    await add(quickKey(), { name: row?.fingerprint as string });
    await add(quickKey(), { name: line });
    expect((await keys.get('a', row?.fingerprint as string)).id).toBe(row?.id);
    expect((await keys.get('a', line)).id).toBe(row?.id);
  });

  it('never repeats a private key that was given in its place', async () => {
    const text = await readFile((await generateKey('ed25519', '256')).file, 'utf8');
    await expect(keys.get('a', text)).rejects.toMatchObject({ code: 'private-key' });
    await expect(keys.get('a', 'x'.repeat(10_000))).rejects.toSatisfy(
      (error: Error) => error.message.length < 300,
    );
  });
});

describe('removing a key', () => {
  it('asks for --yes when it is the last, or the one in use', async () => {
    const [first] = await add(`${quickKey()} first`);
    const currentKeyId = first?.id as string;
    await expect(keys.remove('a', 'first', {})).rejects.toMatchObject({ code: 'last-key' });
    await add(`${quickKey()} second`);
    await expect(keys.remove('a', 'first', { currentKeyId })).rejects.toMatchObject({ code: 'current-key' });
    expect((await keys.remove('a', 'first', { currentKeyId, sure: true })).id).toBe(currentKeyId);
    await keys.remove('a', 'second', { sure: true });
    expect(await namesOf()).toEqual([]);
  });

  it('counts a key as the last when the others have expired', async () => {
    await add(`${quickKey()} good`);
    await add(`${quickKey()} short`, { expiresAt: '2030-01-02T00:00:00.000Z' });
    clock.nowMs = Date.parse('2030-01-03T00:00:00Z');
    await expect(keys.remove('a', 'good', {})).rejects.toMatchObject({ code: 'last-key' });
    await keys.remove('a', 'short', {});
  });

  it('remembers the key, so that adding it again is a decision', async () => {
    const line = quickKey();
    await keys.add('a', parsed(`${line} gone`, quickKey()), {});
    await keys.remove('a', 'gone', {});
    expect(await keys.findByFingerprint(parsed(line)[0]?.key.fingerprint as string)).toBeUndefined();
    await expect(add(line)).rejects.toMatchObject({ code: 'readded-key' });
    await expect(add(line, {}, 'b')).rejects.toMatchObject({ code: 'readded-key' });
    await add(line, { readd: true });
    await keys.remove('a', line, {});
    await expect(add(line)).rejects.toMatchObject({ code: 'readded-key' });
  });
});

describe('renaming a key', () => {
  it('refuses a name that is taken or hostile, and lets a key keep its own', async () => {
    await keys.add('a', parsed(`${quickKey()} one`, `${quickKey()} two`), {});
    expect((await keys.rename('a', 'one', 'three')).name).toBe('three');
    await keys.rename('a', 'three', 'three');
    await expect(keys.rename('a', 'three', 'two')).rejects.toMatchObject({ code: 'key-name-taken' });
    await expect(keys.rename('a', 'three', '\x07')).rejects.toMatchObject({ code: 'usage' });
    await expect(keys.rename('b', 'three', 'mine')).rejects.toMatchObject({ code: 'key-not-found' });
    expect(await namesOf()).toEqual(['three', 'two']);
  });
});

describe('noting the use of a key', () => {
  const lastUse = async () => (await keys.list('a'))[0]?.lastUsedAt;

  it('is written at once, then at most once a minute', async () => {
    const [row] = await add(quickKey());
    const id = row?.id as string;
    const changed = vi.fn();
    store.onChange(changed);
    keys.noteUse(id);
    await vi.waitFor(async () => expect(await lastUse()).toBe('2030-01-01T00:00:00.000Z'));
    clock.nowMs += 59_000;
    for (let times = 0; times < 100; times++) keys.noteUse(id);
    await delay(1_200);
    expect(await lastUse()).toBe('2030-01-01T00:00:00.000Z');
    expect(changed).toHaveBeenCalledTimes(1);
    clock.nowMs += 1_000;
    keys.noteUse(id);
    await vi.waitFor(async () => expect(await lastUse()).toBe('2030-01-01T00:01:00.000Z'));
  });

  it('is one write for many keys', async () => {
    const rows = await keys.add('a', parsed(...Array.from({ length: 5 }, quickKey)), {});
    const changed = vi.fn();
    store.onChange(changed);
    for (const { id } of rows) keys.noteUse(id);
    await vi.waitFor(
      async () => expect((await keys.list('a')).every((row) => row.lastUsedAt)).toBe(true),
      20_000,
    );
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it('does not bring a removed key back, and never throws', async () => {
    const [row] = await add(quickKey());
    await keys.remove('a', row?.name as string, { sure: true });
    keys.noteUse(row?.id as string);
    keys.noteUse('__proto__');
    await delay(1_100);
    expect(await keys.list('a')).toEqual([]);
    const failing = createKeys({
      store: { ...store, transact: () => Promise.reject(new Error('disk')) },
      clock,
      maxKeysPerAccount: 5,
    });
    failing.noteUse('x');
    await delay(10);
  });
});
