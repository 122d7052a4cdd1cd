import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import type { AccountRow, KeyRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { openAccess, web } from '../../support/access.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';

const access = forEachTest(openAccess);

describe('the state of this moment', () => {
  const change = (work: Parameters<Store['transact']>[0]) => access.store.transact(work);

  it('a removed key, a disabled or removed account is nobody at once', async () => {
    await change((transaction) => transaction.remove('keys', access.identityNamed('owner').keyId));
    await expect(access.principalOf('owner')).rejects.toMatchObject({ code: 'not-allowed' });
    await putAccount(access.store, 'gus', 'member', { disabled: true });
    await expect(access.principalOf('grantee')).rejects.toMatchObject({ code: 'not-allowed' });
    await change((transaction) => transaction.remove('accounts', 'id-ulla'));
    await expect(access.principalOf('grantee with users')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key expires to the millisecond, and an expiry nobody can read has passed', async () => {
    const { identity } = await access.person('eve', 'member', {
      expiresAt: new Date(startOfTests + 1_000).toISOString(),
    });
    expect((await access.authorizer.principal(identity)).restricted).toBe(true);
    access.clock.nowMs = startOfTests + 1_000;
    await expect(access.authorizer.principal(identity)).rejects.toMatchObject({ code: 'not-allowed' });
    const odd = await access.person('odd', 'member', { expiresAt: 'soon' });
    await expect(access.authorizer.principal(odd.identity)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key that moved to another account takes nobody with it', async () => {
    const account = await putAccount(access.store, 'mallory');
    await putKey(access.store, account, 'k', { id: access.identityNamed('admin').keyId });
    await expect(access.principalOf('admin')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('the outer key of a jump removed ends the inner connection', async () => {
    const outer = access.identityNamed('owner, outer key tagged').outer as Identity;
    await change((transaction) => transaction.remove('keys', outer.keyId));
    await expect(access.principalOf('owner, outer key tagged')).rejects.toMatchObject({
      code: 'not-allowed',
    });
  });

  it('an outer key of another account opens nothing', async () => {
    const { identity } = await access.person('mix');
    const mixed = { ...identity, outer: access.identityNamed('admin') } as Identity;
    await expect(access.authorizer.principal(mixed)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a grant taken away counts for a principal made before', async () => {
    const principal = await access.principalOf('grantee');
    await change((transaction) => transaction.remove('grants', `${web.key} id-gus`));
    await expect(access.authorizer.authorize(principal, web, undefined)).rejects.toMatchObject({
      code: 'target-not-found',
    });
    expect(await access.authorizer.reachable(principal, [web])).toEqual([]);
  });

  it('an admin demoted, an account disabled or a key removed counts for a principal made before', async () => {
    const made = async (name: string) => {
      const { account, identity } = await access.person(name, 'admin');
      return { account, principal: await access.authorizer.principal(identity) };
    };
    const outcomes: [string, Partial<AccountRow> | 'key', string, number | undefined][] = [
      ['demi', { role: 'member' }, 'target-not-found', 0],
      ['dora', { disabled: true }, 'not-allowed', undefined],
      ['rema', 'key', 'not-allowed', undefined],
    ];
    for (const [name, changed, code, reached] of outcomes) {
      const { account, principal } = await made(name);
      await change((transaction) =>
        changed === 'key'
          ? transaction.remove('keys', principal.key.id)
          : transaction.put('accounts', { ...account, ...changed }),
      );
      await expect(access.authorizer.authorize(principal, web, undefined)).rejects.toMatchObject({ code });
      const reachable = access.authorizer.reachable(principal, [web]);
      expect(await reachable.then((targets) => targets.length).catch(() => undefined)).toBe(reached);
    }
  });

  it('whatever narrows a key makes it restricted, on the outer connection too', async () => {
    const narrowings: Partial<KeyRow>[] = [
      { tag: 'ci' },
      { expiresAt: '2030-01-01T00:00:00.000Z' },
      ...['from', 'command'].map((name) => ({ restrictions: { [name]: 'x' } })),
      ...['permitOpen', 'permitListen'].map((name) => ({ restrictions: { [name]: ['web:22'] } })),
      ...['noPty', 'noPortForwarding', 'noAgentForwarding'].map((name) => ({
        restrictions: { [name]: true },
      })),
    ];
    const account = await putAccount(access.store, 'rita');
    const plain = identityOf(account, await putKey(access.store, account, 'plain'));
    expect((await access.authorizer.principal(plain)).restricted).toBe(false);
    for (const [index, narrowing] of narrowings.entries()) {
      const narrow = identityOf(account, await putKey(access.store, account, `narrow${index}`, narrowing));
      const inner = { ...plain, outer: narrow } as Identity;
      expect([narrowing, (await access.authorizer.principal(narrow)).restricted]).toEqual([narrowing, true]);
      expect([narrowing, (await access.authorizer.principal(inner)).restricted]).toEqual([narrowing, true]);
    }
  });
});
