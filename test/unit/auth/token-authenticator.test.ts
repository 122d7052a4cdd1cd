/** Tokens that are sound by themselves, and what the gateway knows of their key, its account and the time. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { findTimeFault } from '../../../src/auth/token-authenticator.ts';
import { fingerprintOf } from '../../../src/keys/parse-public-key.ts';
import { codeAt, stepAt } from '../../../src/second-factor/totp.ts';
import { identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';
import { touched, verified } from '../../support/security-key.ts';
import { openTokenDoor, source, type TokenDoor } from '../../support/token-door.ts';
import { domain, ed25519Signer, forgeToken, securityKeySigner } from '../../support/tokens.ts';

const signer = ed25519Signer();
const fingerprint = fingerprintOf(signer.blob);
const token = forgeToken(signer);
const nowSeconds = startOfTests / 1000;

let door: TokenDoor;
beforeEach(async () => {
  door = await openTokenDoor();
});

const isGood = { accountId: 'id-alice', accountName: 'alice', fingerprint };

describe('whose token it is', () => {
  it('is the account of the key that signed, bounded by what was signed', async () => {
    await door.register(signer.blob);
    const permissions = `{"exp":${nowSeconds + 1},"cmds":["ls","ssh web"],"ctx":{"a": 1}}`;
    const identity = await door.show(forgeToken(signer, { permissions }));
    expect(identity).toMatchObject({ ...isGood, source });
    expect(identity).toMatchObject({
      token: { exp: nowSeconds + 1, cmds: ['ls', 'ssh web'], ctx: Buffer.from('{"a": 1}') },
    });
  });

  it('one that names no commands has the default list, one that names none has none', async () => {
    await door.register(signer.blob);
    const defaults = ['help', 'ls', 'new', 'whoami', 'ssh-key list', 'share show', 'exe0-to-exe1'];
    expect(await door.show(token)).toMatchObject({ token: { cmds: defaults } });
    const empty = await door.show(forgeToken(signer, { permissions: '{"cmds":[]}' }));
    expect(empty).toMatchObject({ token: { cmds: [] } });
  });

  it('for a container it says which, as it was signed', async () => {
    await door.register(signer.blob);
    for (const name of ['web', 'Web_2.x', 'a']) {
      const scoped = forgeToken(signer, { namespace: `v0@${name}.${domain}` });
      expect(await door.show(scoped, { kind: 'container' })).toMatchObject({ token: { container: name } });
    }
  });
});

describe('a key that expires', () => {
  it.each([
    ['sooner than the token', nowSeconds + 60, nowSeconds + 3600],
    ['later than the token', nowSeconds + 3600, nowSeconds + 60],
    ['and a token that does not', nowSeconds + 60, undefined],
  ])('%s: outlived-key, the first of both ends what was begun', async (_name, keyEnds, exp) => {
    await door.register(signer.blob, { expiresAt: new Date(keyEnds * 1000).toISOString() });
    const permissions = exp === undefined ? '{}' : `{"exp":${exp}}`;
    const { token: facts } = (await door.show(forgeToken(signer, { permissions }))) as Identity;
    expect(facts?.until ?? facts?.exp).toBe(nowSeconds + 60);
    expect(facts?.exp).toBe(exp);
  });
});

describe('one thing wrong with its key or account', () => {
  const secret = (refused: string) => ({ refused, evident: false });

  it('a key that nobody registered, or was removed, or was added to another account', async () => {
    expect(await door.show(token)).toEqual(secret('its key is not registered'));
    await door.register(signer.blob);
    expect(await door.show(token)).toMatchObject(isGood);
    await door.keys.remove(door.alice.id, fingerprint, { sure: true });
    expect(await door.show(token)).toEqual(secret('its key is not registered'));
    const bob = await putAccount(door.store, 'bob');
    await door.register(signer.blob, {}, bob);
    expect(await door.show(token)).toMatchObject({ accountName: 'bob' });
  });

  it('a forged signature tells nobody whether the key is registered', async () => {
    const forged = forgeToken(signer, { payload: () => Buffer.from('{"cmds":["ssh"]}') });
    expect(await door.show(forged)).toEqual(secret('its key is not registered'));
    await door.register(signer.blob);
    expect(await door.show(forged)).toEqual(secret('its signature does not hold'));
  });

  it('an expired key, at its very millisecond', async () => {
    await door.register(signer.blob, { expiresAt: new Date(startOfTests + 1000).toISOString() });
    door.clock.nowMs = startOfTests + 999;
    expect(await door.show(token)).toMatchObject(isGood);
    door.clock.nowMs = startOfTests + 1000;
    expect(await door.show(token)).toEqual(secret('its key has expired'));
  });

  it('a disabled account, and one that is gone', async () => {
    await door.register(signer.blob);
    const put = (disabled: boolean) =>
      door.store.transact((transaction) => transaction.put('accounts', { ...door.alice, disabled }));
    await put(true);
    expect(await door.show(token)).toEqual(secret('its account is disabled'));
    await put(false);
    expect(await door.show(token)).toMatchObject(isGood);
    await door.store.transact((transaction) => transaction.remove('accounts', door.alice.id));
    expect(await door.show(token)).toEqual(secret('its account is disabled'));
  });

  it('a key that is good from elsewhere only', async () => {
    await door.register(signer.blob, { restrictions: { from: '198.51.100.0/24' } });
    expect(await door.show(token)).toEqual(secret('its key is not good from this address'));
    const there = { address: '198.51.100.9', port: 1 };
    expect(await door.show(token, { source: there })).toMatchObject(isGood);
  });
});

describe('its time', () => {
  const at = (permissions: object, nowMs: number) => {
    door.clock.nowMs = nowMs;
    return door.show(forgeToken(signer, { permissions: JSON.stringify(permissions) }));
  };

  it('is over at the very second of its exp', async () => {
    await door.register(signer.blob);
    const exp = nowSeconds + 10;
    expect(await at({ exp }, exp * 1000 - 1)).toMatchObject(isGood);
    expect(await at({ exp }, exp * 1000)).toEqual({ refused: 'it has expired', evident: true });
    expect(await at({ exp: nowSeconds - 1 }, startOfTests)).toMatchObject({ refused: 'it has expired' });
  });

  it('begins at the very second of its nbf', async () => {
    await door.register(signer.blob);
    const nbf = nowSeconds + 10;
    expect(await at({ nbf }, nbf * 1000 - 1)).toEqual({ refused: 'it is not valid yet', evident: true });
    expect(await at({ nbf }, nbf * 1000)).toMatchObject(isGood);
  });

  it('that ends before it begins never comes', async () => {
    await door.register(signer.blob);
    const permissions = { exp: nowSeconds + 10, nbf: nowSeconds + 20 };
    for (const seconds of [0, 10, 15, 20, 30]) {
      expect(await at(permissions, startOfTests + seconds * 1000)).toHaveProperty('refused');
    }
  });

  it('without either is always', () => {
    expect(findTimeFault({}, 0)).toBeUndefined();
    expect(findTimeFault({}, Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });
});

describe.each(['ed25519', 'ecdsa'] as const)('a security key of kind %s', (kind) => {
  const made = (flags: number) => securityKeySigner(kind, { flags });

  it('must be touched, unless it was added with no-touch-required', async () => {
    const untouched = made(0);
    await door.register(untouched.blob);
    expect(await door.show(forgeToken(untouched))).toEqual({
      refused: 'its signature lacks user presence',
      evident: false,
    });
    await door.register(untouched.blob, { restrictions: { noTouchRequired: true } });
    expect(await door.show(forgeToken(untouched))).toMatchObject({ accountName: 'alice' });
    const wasTouched = made(touched);
    await door.register(wasTouched.blob);
    expect(await door.show(forgeToken(wasTouched))).toMatchObject({ accountName: 'alice' });
  });

  it('must ask for PIN or finger where it was added with verify-required', async () => {
    const [asked, notAsked] = [made(touched | verified), made(touched)];
    const restrictions = { verifyRequired: true };
    for (const { blob } of [asked, notAsked]) await door.register(blob, { restrictions });
    expect(await door.show(forgeToken(asked))).toMatchObject({ accountName: 'alice' });
    expect(await door.show(forgeToken(notAsked))).toEqual({
      refused: 'its signature lacks user verification',
      evident: false,
    });
  });
});

describe('an account with a second factor', () => {
  beforeEach(async () => {
    const row = await door.register(signer.blob);
    const identity = identityOf(door.alice, row);
    const { secret } = await door.secondFactors.enroll(door.alice);
    await door.secondFactors.confirm(identity, codeAt(secret, stepAt(startOfTests)));
  });

  it('takes a token only where the factor was shown for it', async () => {
    expect(await door.show(token)).toMatchObject({ evident: false, lacksSecondFactor: true });
    expect(await door.show(token, { provenFor: 'id-alice' })).toMatchObject({ secondFactor: 'proven' });
    expect(await door.show(token, { provenFor: 'id-bob' })).toMatchObject({ lacksSecondFactor: true });
  });

  it('takes a handle that was made by somebody who had shown it, and no other', async () => {
    const proven = await door.handles.create(token, { keyFingerprint: fingerprint, secondFactor: 'proven' });
    const plain = await door.handles.create(token, { keyFingerprint: fingerprint });
    expect(await door.show(proven)).toMatchObject({ ...isGood, secondFactor: 'proven' });
    expect(await door.show(plain)).toMatchObject({ lacksSecondFactor: true });
  });
});

it('a use is noted on the key, and a refusal is not', async () => {
  await door.register(signer.blob);
  const lastUse = async () => (await door.keys.findByFingerprint(fingerprint))?.lastUsedAt;
  await door.show(forgeToken(signer, { payload: () => Buffer.from('{"cmds":["ssh"]}') }));
  expect(await lastUse()).toBeUndefined();
  await door.show(token);
  await expect.poll(lastUse).toBe(new Date(startOfTests).toISOString());
});

it("another account's key of the same name changes nothing", async () => {
  await door.register(signer.blob);
  const bob = await putAccount(door.store, 'bob');
  await putKey(door.store, bob, fingerprint);
  expect(await door.show(token)).toMatchObject(isGood);
});
