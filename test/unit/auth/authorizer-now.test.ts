import { beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import type { AccountRow, KeyRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Access, openAccess, web } from '../../support/access.ts';
import { identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';

let access: Access;
let authorizer: Access['authorizer'];
let store: Access['store'];

beforeEach(async () => {
  access = await openAccess();
  ({ authorizer, store } = access);
});

const principalOf: Access['principalOf'] = (name) => access.principalOf(name);

describe('the state of this moment', () => {
  const change = (work: Parameters<Store['transact']>[0]) => store.transact(work);

  it('a removed key, a disabled or removed account is nobody at once', async () => {
    await change((transaction) => transaction.remove('keys', access.identityNamed('owner').keyId));
    await expect(principalOf('owner')).rejects.toMatchObject({ code: 'not-allowed' });
    await putAccount(store, 'gus', 'member', { disabled: true });
    await expect(principalOf('grantee')).rejects.toMatchObject({ code: 'not-allowed' });
    await change((transaction) => transaction.remove('accounts', 'id-ulla'));
    await expect(principalOf('grantee with users')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key expires to the millisecond, and an expiry nobody can read has passed', async () => {
    const { identity } = await access.person('eve', 'member', {
      expiresAt: new Date(startOfTests + 1_000).toISOString(),
    });
    expect((await authorizer.principal(identity)).restricted).toBe(true);
    access.clock.nowMs = startOfTests + 1_000;
    await expect(authorizer.principal(identity)).rejects.toMatchObject({ code: 'not-allowed' });
    const odd = await access.person('odd', 'member', { expiresAt: 'soon' });
    await expect(authorizer.principal(odd.identity)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a key that moved to another account takes nobody with it', async () => {
    const account = await putAccount(store, 'mallory');
    await putKey(store, account, 'k', { id: access.identityNamed('admin').keyId });
    await expect(principalOf('admin')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('the outer key of a jump removed ends the inner connection', async () => {
    const outer = access.identityNamed('owner, outer key tagged').outer as Identity;
    await change((transaction) => transaction.remove('keys', outer.keyId));
    await expect(principalOf('owner, outer key tagged')).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('an outer key of another account opens nothing', async () => {
    const { identity } = await access.person('mix');
    const mixed = { ...identity, outer: access.identityNamed('admin') } as Identity;
    await expect(authorizer.principal(mixed)).rejects.toMatchObject({ code: 'not-allowed' });
  });

  it('a grant taken away counts for a principal made before', async () => {
    const principal = await principalOf('grantee');
    await change((transaction) => transaction.remove('grants', `${web.key} id-gus`));
    await expect(authorizer.authorize(principal, web, undefined)).rejects.toMatchObject({
      code: 'target-not-found',
    });
    expect(await authorizer.reachable(principal, [web])).toEqual([]);
  });

  it('an admin demoted, an account disabled or a key removed counts for a principal made before', async () => {
    const made = async (name: string) => {
      const { account, identity } = await access.person(name, 'admin');
      return { account, principal: await authorizer.principal(identity) };
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
      await expect(authorizer.authorize(principal, web, undefined)).rejects.toMatchObject({ code });
      const reachable = authorizer.reachable(principal, [web]);
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
    const account = await putAccount(store, 'rita');
    const plain = identityOf(account, await putKey(store, account, 'plain'));
    expect((await authorizer.principal(plain)).restricted).toBe(false);
    for (const [index, narrowing] of narrowings.entries()) {
      const narrow = identityOf(account, await putKey(store, account, `narrow${index}`, narrowing));
      const inner = { ...plain, outer: narrow } as Identity;
      expect([narrowing, (await authorizer.principal(narrow)).restricted]).toEqual([narrowing, true]);
      expect([narrowing, (await authorizer.principal(inner)).restricted]).toEqual([narrowing, true]);
    }
  });
});
