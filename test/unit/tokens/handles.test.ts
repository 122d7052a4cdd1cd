/** exe1 tokens: what is no handle, whose row was touched, or whose exe0 is no longer good. */
import { beforeEach, describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/errors.ts';
import { fingerprintOf } from '../../../src/keys/parse-public-key.ts';
import type { TokenRow } from '../../../src/store/schema.ts';
import { startOfTests } from '../../support/people.ts';
import { openTokenDoor, type TokenDoor } from '../../support/token-door.ts';
import { ed25519Signer, forgeToken } from '../../support/tokens.ts';

const signer = ed25519Signer();
const keyFingerprint = fingerprintOf(signer.blob);
const exe0 = forgeToken(signer);

let door: TokenDoor;
let handle: string;
beforeEach(async () => {
  door = await openTokenDoor();
  await door.register(signer.blob);
  handle = await door.handles.create(exe0, { keyFingerprint });
});

const rows = () => door.store.list('tokens');
const put = (row: TokenRow) => door.store.transact((transaction) => transaction.put('tokens', row));
const onlyRow = async () => (await rows())[0] as TokenRow;
const isGood = { accountName: 'alice', token: { cmds: expect.arrayContaining(['whoami']) } };
const isNone = { refused: 'there is no such exe1 token', evident: false };

describe('a handle', () => {
  it('is exe1 and 160 random bits, and stands for its exe0', async () => {
    expect(handle).toMatch(/^exe1\.[a-z2-7]{32}$/);
    expect(await door.handles.create(exe0, { keyFingerprint })).not.toBe(handle);
    expect(await door.show(handle)).toMatchObject(isGood);
  });

  it.each([
    ['in capitals', (text: string) => text.toUpperCase()],
    ['with its prefix in capitals', (text: string) => text.replace('exe1', 'EXE1')],
    ['with its letters in capitals', (text: string) => `exe1.${text.slice(5).toUpperCase()}`],
    [
      'with one letter in capitals',
      (text: string) => text.replace(/[a-z](?=[^a-z]*$)/, (one) => one.toUpperCase()),
    ],
    ['with one character changed', (text: string) => text.slice(0, -1) + (text.endsWith('a') ? 'b' : 'a')],
    ['with a character beyond the alphabet', (text: string) => `${text.slice(0, -1)}1`],
    ['with a letter of another alphabet', (text: string) => `${text.slice(0, -1)}\u0430`],
    ['one character short', (text: string) => text.slice(0, -1)],
    ['one character long', (text: string) => `${text}a`],
    ['without characters', () => 'exe1.'],
    ['with a line feed behind', (text: string) => `${text}\n`],
    ['with a NUL behind', (text: string) => `${text}\0`],
    ['with a blank in front', (text: string) => ` ${text}`],
    ['with another dot', (text: string) => `${text}.`],
    ['twice', (text: string) => text + text],
    ['that nobody made', () => `exe1.${'a'.repeat(32)}`],
    ['of __proto__', () => 'exe1.__proto__'],
    ['of 8 MB', () => `exe1.${'a'.repeat(8_000_000)}`],
  ])('%s is none', async (_name, change) => {
    expect(change(handle)).not.toBe(handle);
    expect(await door.show(change(handle))).toHaveProperty('refused');
    expect(await door.show(handle)).toMatchObject(isGood);
  });
});

describe('a row that was written to by somebody else', () => {
  it.each([
    ['a bit of its nonce', (row: TokenRow) => ({ ...row, sealed: turned(row.sealed, 0) })],
    ['a bit of its ciphertext', (row: TokenRow) => ({ ...row, sealed: turned(row.sealed, 40) })],
    ['a bit of its tag', (row: TokenRow) => ({ ...row, sealed: turned(row.sealed, -1) })],
    ['all but its tag', (row: TokenRow) => ({ ...row, sealed: row.sealed.slice(0, 16) })],
    ['everything sealed', (row: TokenRow) => ({ ...row, sealed: '' })],
    ['its sealed text, for what is no base64', (row: TokenRow) => ({ ...row, sealed: '\0é' })],
    ['its key', (row: TokenRow) => ({ ...row, keyFingerprint: 'SHA256:other' })],
    ['its expiry', (row: TokenRow) => ({ ...row, expiresAt: '2090-01-01T00:00:00.000Z' })],
    ['its second factor', (row: TokenRow) => ({ ...row, secondFactor: 'proven' as const })],
  ])('%s: it is no handle any more', async (_name, change) => {
    const row = await onlyRow();
    await put(change(row));
    expect(await door.show(handle)).toEqual(isNone);
    await put(row);
    expect(await door.show(handle)).toMatchObject(isGood);
  });

  it('the row of another handle in its place opens nothing', async () => {
    const row = await onlyRow();
    const strong = await door.handles.create(forgeToken(signer, { permissions: '{"cmds":["ssh"]}' }), {
      keyFingerprint,
    });
    const other = (await rows()).find(({ id }) => id !== row.id) as TokenRow;
    await door.store.transact(async (transaction) => {
      await transaction.remove('tokens', other.id);
      await transaction.put('tokens', { ...row, sealed: other.sealed });
    });
    expect(await door.show(handle)).toEqual(isNone);
    await put({ ...other, lookup: row.lookup, id: row.id });
    expect(await door.show(handle)).toEqual(isNone);
    await put({ ...other, id: row.id });
    expect(await door.show(strong)).toMatchObject({ token: { cmds: ['ssh'] } });
  });

  function turned(text: string, at: number): string {
    const bytes = Buffer.from(text, 'base64');
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] as number) ^ 1;
    return bytes.toString('base64');
  }
});

describe('what a thief of the store has', () => {
  it('is no token, no handle, and nothing that opens a row', async () => {
    const text = JSON.stringify(await rows());
    for (const secret of [exe0, handle, handle.slice(5), exe0.split('.')[2] as string]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
      expect(text).not.toContain(Buffer.from(secret).toString('hex'));
    }
    const { lookup, sealed, id } = await onlyRow();
    for (const guess of [lookup, sealed, id, lookup.slice(0, 32)]) {
      expect(await door.show(guess)).toHaveProperty('refused');
      expect(await door.show(`exe1.${guess}`)).toHaveProperty('refused');
    }
  });

  it('two handles of one exe0 have nothing in common', async () => {
    await door.handles.create(exe0, { keyFingerprint });
    const [one, two] = (await rows()) as [TokenRow, TokenRow];
    expect(one.lookup).not.toBe(two.lookup);
    expect(one.sealed.slice(0, 40)).not.toBe(two.sealed.slice(0, 40));
  });
});

describe('the exe0 behind it is validated at every use', () => {
  it('its key removed, it is gone, and its row too', async () => {
    await door.keys.remove(door.alice.id, keyFingerprint, { sure: true });
    expect(await door.show(handle)).toEqual(isNone);
    expect(await rows()).toEqual([]);
  });

  it('it ends at its exp, and its row when the next one is made', async () => {
    const exp = startOfTests / 1000 + 60;
    const short = await door.handles.create(forgeToken(signer, { permissions: `{"exp":${exp}}` }), {
      keyFingerprint,
      exp,
    });
    door.clock.nowMs = exp * 1000 - 1;
    expect(await door.show(short)).toMatchObject({ token: { exp } });
    door.clock.nowMs = exp * 1000;
    expect(await door.show(short)).toEqual({ refused: 'it has expired', evident: true });
    expect(await rows()).toHaveLength(2);
    await door.handles.create(exe0, { keyFingerprint });
    expect((await rows()).map(({ expiresAt }) => expiresAt)).toEqual([undefined, undefined]);
  });

  it('one whose exe0 was never good is not either', async () => {
    const forged = forgeToken(signer, { namespace: 'v0@other.example' });
    const made = await door.handles.create(forged, { keyFingerprint });
    expect(await door.show(made)).toMatchObject({ refused: expect.stringContaining('another gateway') });
  });

  it('one that stands for another handle stands for nothing', async () => {
    const nested = await door.handles.create(handle, { keyFingerprint });
    expect(await door.show(nested)).toHaveProperty('refused');
  });
});

it('none is made for a key that is not there, nor more than a thousand for one that is', async () => {
  const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);
  const unknown = await failure(door.handles.create(exe0, { keyFingerprint: 'SHA256:none' }));
  expect(isGatewayError(unknown, 'invalid-token')).toBe(true);
  const row = await onlyRow();
  await door.store.transact(async (transaction) => {
    for (let index = 1; index < 1000; index++) {
      await transaction.put('tokens', { ...row, id: `row-${index}`, lookup: `${index}` });
    }
  });
  const oneMore = await failure(door.handles.create(exe0, { keyFingerprint }));
  expect(isGatewayError(oneMore, 'too-many-tokens')).toBe(true);
});
