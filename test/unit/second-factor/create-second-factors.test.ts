import { beforeEach, describe, expect, it } from 'vitest';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createSecondFactors } from '../../../src/second-factor/create-second-factors.ts';
import { codeAt, stepAt } from '../../../src/second-factor/totp.ts';
import type { AccountRow, KeyRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';

let store: Store;
let alice: AccountRow;
let key: KeyRow;
let now: number;
const clock = { now: () => now };
const factorsOf = (rememberHours = 0) => createSecondFactors({ store, clock, issuer: 'gw', rememberHours });

beforeEach(async () => {
  now = startOfTests;
  store = createMemoryStore();
  alice = await putAccount(store, 'alice');
  key = await putKey(store, alice, 'laptop');
});

/** Enrolled and confirmed; the code of the present step is used up. */
async function enrolled(factors = factorsOf()) {
  const { secret } = await factors.enroll(alice);
  const recoveryCodes = await factors.confirm(identityOf(alice, key), codeAt(secret, stepAt(now)));
  now += 90_000;
  return { factors, secret, recoveryCodes, next: () => codeAt(secret, stepAt(now)) };
}

describe('enrolment', () => {
  it('counts for nothing until a code confirmed it', async () => {
    const factors = factorsOf();
    await factors.enroll(alice);
    expect(await factors.neededFor(identityOf(alice, key))).toBe('nothing');
    expect(await factors.check(alice.id, '000000')).toBe('gone');
  });

  it('is not confirmed by a code of the secret that a second enrolment replaced', async () => {
    const factors = factorsOf();
    const first = await factors.enroll(alice);
    const second = await factors.enroll(alice);
    const confirm = (secret: string) => factors.confirm(identityOf(alice, key), codeAt(secret, stepAt(now)));
    await expect(confirm(first.secret)).rejects.toMatchObject({ code: 'wrong-code' });
    expect(await confirm(second.secret)).toHaveLength(10);
    expect(await factors.neededFor(identityOf(alice, key))).toBe('code');
  });

  it('does not replace a second factor that is on', async () => {
    const { factors, next } = await enrolled();
    await expect(factors.enroll(alice)).rejects.toMatchObject({ code: 'second-factor-enrolled' });
    await expect(factors.confirm(identityOf(alice, key), next())).rejects.toMatchObject({
      code: 'second-factor-enrolled',
    });
  });

  it('the store holds no recovery code as it is', async () => {
    const { recoveryCodes } = await enrolled();
    const kept = JSON.stringify(await store.list('secondFactors'));
    for (const code of recoveryCodes) {
      expect(kept).not.toContain(code);
      expect(kept).not.toContain(code.replaceAll('-', ''));
    }
  });
});

describe('the same code many times at once', () => {
  it('a recovery code lets one in', async () => {
    const { factors, recoveryCodes } = await enrolled();
    const code = recoveryCodes[0] as string;
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => factors.check(alice.id, code)));
    expect(outcomes.filter((outcome) => outcome === 'right')).toHaveLength(1);
  });

  it('a code of the app lets one in', async () => {
    const { factors, next } = await enrolled();
    const code = next();
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => factors.check(alice.id, code)));
    expect(outcomes.filter((outcome) => outcome === 'right')).toHaveLength(1);
  });

  it('fifty guesses in parallel are five', async () => {
    const { factors } = await enrolled();
    const guesses = Array.from({ length: 50 }, (_, index) => factors.check(alice.id, `x${index}`));
    const outcomes = await Promise.all(guesses);
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(5);
    expect(outcomes.filter((outcome) => typeof outcome === 'object')).toHaveLength(45);
  });
});

describe('taking it away', () => {
  it('needs a code', async () => {
    const { factors, next } = await enrolled();
    await expect(factors.disable(alice.id, '123456')).rejects.toMatchObject({ code: 'wrong-code' });
    expect(await factors.neededFor(identityOf(alice, key))).toBe('code');
    await factors.disable(alice.id, next());
    expect(await factors.neededFor(identityOf(alice, key))).toBe('nothing');
    await expect(factors.disable(alice.id, next())).rejects.toMatchObject({ code: 'no-second-factor' });
  });

  it('removing the account removes the secret', async () => {
    await enrolled();
    await createAccounts({ store, clock }).remove('alice');
    expect(await store.list('secondFactors')).toEqual([]);
  });

  it('a disabled account proves nothing', async () => {
    const { factors, next } = await enrolled();
    await createAccounts({ store, clock }).setDisabled('alice', true);
    expect(await factors.check(alice.id, next())).toBe('gone');
  });
});

describe('remembering', () => {
  const hour = 3_600_000;

  it('is off unless configured', async () => {
    const { factors } = await enrolled();
    await factors.remember(identityOf(alice, key));
    expect(await store.list('rememberedLogins')).toEqual([]);
    expect(await factors.neededFor(identityOf(alice, key))).toBe('code');
  });

  it('holds for so many hours, for this key from this address', async () => {
    const { factors } = await enrolled(factorsOf(8));
    const identity = identityOf(alice, key);
    await factors.remember(identity);
    expect(await factors.neededFor(identity)).toBe('remembered');
    const elsewhere = { ...identity, source: { address: '192.0.2.8', port: 1 } };
    expect(await factors.neededFor(elsewhere)).toBe('code');
    const otherKey = identityOf(alice, await putKey(store, alice, 'desk'));
    expect(await factors.neededFor(otherKey)).toBe('code');
    now += 8 * hour - 1;
    expect(await factors.neededFor(identity)).toBe('remembered');
    now += 1;
    expect(await factors.neededFor(identity)).toBe('code');
  });

  it('shared-address: where everybody comes from nobody is remembered, nor by what was remembered before', async () => {
    const { factors } = await enrolled(factorsOf(8));
    const identity = identityOf(alice, key);
    const isShared = (address: string) => address === identity.source.address;
    const behindBridge = createSecondFactors({ store, clock, issuer: 'gw', rememberHours: 8, isShared });
    await behindBridge.remember(identity);
    expect(await store.list('rememberedLogins')).toEqual([]);
    await factors.remember(identity);
    expect(await behindBridge.neededFor(identity)).toBe('code');
  });

  it('ends when the operator turns it off, and when the second factor is taken away', async () => {
    const { factors } = await enrolled(factorsOf(8));
    const identity = identityOf(alice, key);
    await factors.remember(identity);
    expect(await factorsOf(0).neededFor(identity)).toBe('code');
    await factors.reset(alice);
    expect(await store.list('rememberedLogins')).toEqual([]);
  });

  it('what is over is dropped', async () => {
    const { factors } = await enrolled(factorsOf(8));
    await factors.remember(identityOf(alice, key));
    now += 9 * hour;
    await factors.remember(identityOf(alice, await putKey(store, alice, 'desk')));
    expect(await store.list('rememberedLogins')).toHaveLength(1);
  });
});
