import { beforeEach, describe, expect, it } from 'vitest';
import type { Accounts, Invites } from '../../../src/accounts/accounts.ts';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createInvites } from '../../../src/accounts/create-invites.ts';
import { createFirstInvite } from '../../../src/accounts/first-admin.ts';
import type { PublicKey } from '../../../src/keys/key-types.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { quickKey } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

let accounts: Accounts;
let invites: Invites;

const publicKey = (): PublicKey => parseKeysToAdd(quickKey())[0]?.key as PublicKey;
const shown = (gatewayName: string, store = 'postgres://database/postern') =>
  createFirstInvite(invites, { inviteExpiryDays: 7, store, gatewayName }, systemClock);
const join = (code: string, name: string) => invites.redeem(code, publicKey(), { name });
const refused = { code: 'invalid-invite' };

beforeEach(() => {
  const dependencies = { store: createMemoryStore(), clock: systemClock };
  accounts = createAccounts(dependencies);
  invites = createInvites(dependencies);
});

describe('the invite that a gateway shows while nobody has an account', () => {
  it('makes an admin', async () => {
    expect((await join(await shown('north', 'lowdb'), 'ada')).account.role).toBe('admin');
  });

  it('takes the place of the one that it showed at an earlier start', async () => {
    for (const store of ['lowdb', 'postgres://database/postern']) {
      const [earlier, later] = [await shown('north', store), await shown('north', store)];
      expect(await invites.findByCode(earlier)).toBeUndefined();
      expect(await invites.findByCode(later)).toMatchObject({ role: 'admin' });
    }
  });

  it('twice-at-once: is made though the earlier one is gone by the time it is to be revoked', async () => {
    await shown('north');
    const codes = await Promise.all([shown('north'), shown('north')]);
    expect(await invites.findByCode(codes[1])).toMatchObject({ role: 'admin' });
  });

  it('stays good when another gateway on the same database starts, until one of both is used', async () => {
    const [north, south] = [await shown('north'), await shown('south')];
    expect((await join(north, 'ada')).account.name).toBe('ada');
    await expect(join(south, 'eve')).rejects.toMatchObject(refused);
    expect(await invites.list()).toEqual([]);
  });

  it('late-first-invite: makes no admin of anybody once there is an account, however that was made', async () => {
    const code = await shown('north', 'lowdb');
    await accounts.add({ name: 'ada', role: 'admin', origin: 'operator' });
    await expect(join(code, 'eve')).rejects.toMatchObject(refused);
  });

  it('is good for one of two who use those of two gateways at the same moment', async () => {
    const codes = [await shown('north'), await shown('south')];
    const tries = await Promise.allSettled(codes.map((code, index) => join(code, `ada${index}`)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
