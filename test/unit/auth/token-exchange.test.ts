/** A token for an hour: what it may do, how long, and what ends it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../src/keys/parse-public-key.ts';
import { formatJwt, parseJwt } from '../../../src/tokens/jwt.ts';
import { startOfTests } from '../../support/people.ts';
import { openTokenDoor, type TokenDoor } from '../../support/token-door.ts';
import { ed25519Signer, forgeToken } from '../../support/tokens.ts';

const signer = ed25519Signer();
const keyFingerprint = fingerprintOf(signer.blob);
const exe0 = forgeToken(signer, { permissions: '{"cmds":["whoami"]}' });
const nowSeconds = startOfTests / 1000;

let door: TokenDoor;
let exe1: string;
beforeEach(async () => {
  door = await openTokenDoor();
  await door.register(signer.blob);
  exe1 = await door.handles.create(exe0, { keyFingerprint });
});

const jwtOf = (token: string) => parseJwt(token) ?? expect.fail('this is no JWT');
const isNone = { refused: 'there is no such exe1 token', evident: false };
const expired = { refused: 'it has expired', evident: true };

describe('the JWT of an exchange', () => {
  it.each([
    ['an exe0', () => exe0],
    ['an exe1', () => exe1],
  ])(
    'of %s is the same somebody with the same commands, for half an hour to an hour',
    async (_what, token) => {
      const jwt = await door.exchange(token());
      const { exp } = jwtOf(jwt);
      expect(exp).toBeGreaterThan(nowSeconds + 1800 - 1);
      expect(exp).toBeLessThanOrEqual(nowSeconds + 3600);
      expect(await door.show(jwt)).toMatchObject({
        accountName: 'alice',
        fingerprint: keyFingerprint,
        token: { cmds: ['whoami'], until: exp },
      });
      door.clock.nowMs = exp * 1000 - 1;
      expect(await door.show(jwt)).toHaveProperty('accountName');
      door.clock.nowMs = exp * 1000;
      expect(await door.show(jwt)).toEqual(expired);
      expect(await door.show(jwtOf(jwt).handle)).toEqual(expired);
    },
  );

  it('ends with a token that ends sooner, exe0 or exe1', async () => {
    const exp = nowSeconds + 60;
    const short = forgeToken(signer, { permissions: `{"exp":${exp}}` });
    const handle = await door.handles.create(short, { keyFingerprint, exp });
    for (const token of [short, handle]) {
      const jwt = await door.exchange(token);
      expect(jwtOf(jwt).exp).toBe(exp);
      expect(await door.show(jwt)).toMatchObject({ token: { exp } });
    }
    door.clock.nowMs = exp * 1000;
    await expect(door.exchange(short)).rejects.toThrow('expired');
  });

  it('dies with the key, and so does its handle', async () => {
    const jwts = [await door.exchange(exe0), await door.exchange(exe1)];
    await door.keys.remove(door.alice.id, keyFingerprint, { sure: true });
    for (const jwt of jwts) {
      expect(await door.show(jwt)).toEqual(isNone);
      expect(await door.show(jwtOf(jwt).handle)).toEqual(isNone);
    }
    await door.register(signer.blob);
    expect(await door.show(jwts[0] as string)).toEqual(isNone);
  });

  it('shows the second factor only if the token did', async () => {
    const proven = await door.handles.create(exe0, { keyFingerprint, secondFactor: 'proven' });
    expect(await door.show(await door.exchange(proven))).toMatchObject({ secondFactor: 'proven' });
    expect(await door.show(await door.exchange(exe1))).not.toHaveProperty('secondFactor');
  });

  it('a thousand exchanges fill nothing: one token gets one JWT for half an hour', async () => {
    const first = await door.exchange(exe1);
    for (let count = 0; count < 1000; count++) expect(await door.exchange(exe1)).toBe(first);
    expect(await door.store.list('tokens')).toHaveLength(2);
    door.clock.nowMs += 1_800_000;
    expect(await door.exchange(exe1)).not.toBe(first);
    expect(await door.show(first)).toHaveProperty('accountName');
    door.clock.nowMs += 3_600_000;
    await door.exchange(exe1);
    expect(await door.store.list('tokens')).toHaveLength(2);
  });

  it('two tokens of one key have two', async () => {
    const other = await door.handles.create(exe0, { keyFingerprint });
    const jwts = await Promise.all([exe0, exe1, other].map((token) => door.exchange(token)));
    expect(new Set(jwts).size).toBe(3);
  });
});

describe('what its holder may try', () => {
  let jwt: string;
  beforeEach(async () => {
    jwt = await door.exchange(exe1);
  });

  it('exp-stretched: its holder can sign it anew, and it is no JWT of ours', async () => {
    const { handle, exp } = jwtOf(jwt);
    for (const forged of [exp + 1, exp - 1, exp + 86_400, 4_102_444_800]) {
      expect(await door.show(formatJwt({ handle, exp: forged }))).toEqual(isNone);
    }
  });

  it('an exe1 that never ends, in a JWT of its holder’s own', async () => {
    expect(await door.show(formatJwt({ handle: exe1, exp: nowSeconds + 60 }))).toEqual(isNone);
  });

  it('a handle that nobody made', async () => {
    const handle = `exe1.${'a'.repeat(32)}`;
    expect(await door.show(formatJwt({ handle, exp: nowSeconds + 60 }))).toEqual(isNone);
  });

  it('exchange-of-exchange: the JWT is not taken, and its handle gets the same JWT', async () => {
    await expect(door.exchange(jwt)).rejects.toThrow('token that is valid');
    const rows = await door.store.list('tokens');
    door.clock.nowMs += 1_000_000;
    expect(await door.exchange(jwtOf(jwt).handle)).toBe(jwt);
    expect(await door.store.list('tokens')).toEqual(rows);
  });

  it('a row with a later end: nobody who writes to the store lengthens it', async () => {
    const { exp } = jwtOf(jwt);
    const row = (await door.store.list('tokens')).find(({ expiresAt }) => expiresAt !== undefined);
    if (!row) expect.fail('no row');
    await door.store.transact((transaction) =>
      transaction.put('tokens', { ...row, expiresAt: new Date((exp + 60) * 1000).toISOString() }),
    );
    expect(await door.show(formatJwt({ handle: jwtOf(jwt).handle, exp: exp + 60 }))).toEqual(isNone);
  });

  it('for a container it is good no more than its token', async () => {
    expect(await door.show(jwt, { kind: 'container' })).toHaveProperty('refused');
  });
});

it('a thief of the store finds neither JWT nor handle', async () => {
  const jwt = await door.exchange(exe1);
  const text = JSON.stringify(await door.store.list('tokens'));
  for (const secret of [...jwt.split('.'), jwtOf(jwt).handle.slice(5)]) expect(text).not.toContain(secret);
});
