import { beforeEach, describe, expect, it } from 'vitest';
import type { Accounts, Invites } from '../../../src/accounts/accounts.ts';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createInvites } from '../../../src/accounts/create-invites.ts';
import { GatewayError } from '../../../src/errors.ts';
import { createKeys } from '../../../src/keys/create-keys.ts';
import type { PublicKey } from '../../../src/keys/key-types.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import type { Store } from '../../../src/store/store.ts';
import { quickKey } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const clock = { nowMs: 0, now: () => clock.nowMs };
const expiresAt = '2030-01-08T00:00:00.000Z';

let store: Store;
let accounts: Accounts;
let invites: Invites;

const publicKey = (): PublicKey => parseKeysToAdd(quickKey())[0]?.key as PublicKey;
const invite = (more: { role?: 'admin' | 'member'; name?: string; createdBy?: string } = {}) =>
  invites.create({ role: 'member', expiresAt, createdBy: 'operator', ...more });

beforeEach(() => {
  clock.nowMs = Date.parse('2030-01-01T00:00:00Z');
  store = createMemoryStore();
  accounts = createAccounts({ store, clock });
  invites = createInvites({ store, clock });
});

describe('an invite', () => {
  it('has a code of 128 bits or more that the store does not hold', async () => {
    const { code, invite: row } = await invite();
    expect(code).toMatch(/^[a-z2-7]{26}$/);
    expect(JSON.stringify(await store.list('invites'))).not.toContain(code);
    expect(row.codeHash).toMatch(/^[0-9a-f]{64}$/);
    expect((await invite()).code).not.toBe(code);
  });

  it('makes an account with the key that was proven, once', async () => {
    const { code } = await invite({ role: 'admin' });
    const key = publicKey();
    const { account, key: row } = await invites.redeem(code, key, { name: 'alice', keyName: 'laptop' });
    expect(account).toMatchObject({ name: 'alice', role: 'admin', origin: 'invite' });
    expect(row).toMatchObject({ accountId: account.id, fingerprint: key.fingerprint, name: 'laptop' });
    await expect(invites.redeem(code, publicKey(), { name: 'bob' })).rejects.toMatchObject({
      code: 'invalid-invite',
    });
    expect(await invites.findByCode(code)).toBeUndefined();
    expect(await invites.list()).toEqual([]);
  });

  it('is good for one of those who redeem it at the same moment', async () => {
    const { code } = await invite();
    const tries = await Promise.allSettled(
      ['alice', 'bob', 'carol'].map((name) => invites.redeem(code, publicKey(), { name })),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await accounts.list()).toHaveLength(1);
  });

  it('is not used up by a join that fails', async () => {
    const { code } = await invite();
    const known = publicKey();
    const { id } = await accounts.add({ name: 'bob', role: 'member', origin: 'operator' });
    await createKeys({ store, clock, maxKeysPerAccount: 10 }).add(id, [{ key: known, restrictions: {} }], {});
    const join = (name?: string, key = publicKey()) =>
      invites.redeem(code, key, name === undefined ? {} : { name });
    await expect(join('alice', known)).rejects.toMatchObject({
      code: 'already-member',
      message: expect.stringContaining('bob'),
    });
    await expect(join()).rejects.toMatchObject({ code: 'join-needs-name' });
    await expect(join('bob')).rejects.toMatchObject({ code: 'account-name-taken' });
    await expect(join('root')).rejects.toMatchObject({ code: 'account-name-taken' });
    await expect(join('a\x1b[2J')).rejects.toMatchObject({ code: 'invalid-account-name' });
    await join('alice');
    expect((await accounts.list()).map(({ name }) => name)).toEqual(['bob', 'alice']);
  });

  it('fixes the name, whatever is asked for, reserved names included', async () => {
    const { code } = await invite({ name: 'root' });
    expect((await invites.redeem(code, publicKey(), { name: 'mallory' })).account.name).toBe('root');
    await expect(invite({ name: 'root' })).rejects.toMatchObject({ code: 'account-name-taken' });
    await expect(invite({ name: 'Not Valid' })).rejects.toMatchObject({ code: 'invalid-account-name' });
  });

  it('whose name was given away meanwhile asks for another invite: nobody can choose another name', async () => {
    const { code } = await invite({ name: 'erin' });
    await accounts.add({ name: 'erin', role: 'member', origin: 'operator' });
    await expect(invites.redeem(code, publicKey(), {})).rejects.toMatchObject({
      code: 'invite-name-taken',
      message: expect.stringContaining('ask for another invite'),
    });
  });

  it('gives nobody a name that something else already speaks of', async () => {
    const labels = createInvites({ store, clock, isNameSpokenFor: async (name) => name === 'dora' });
    const { code } = await invite();
    await expect(labels.redeem(code, publicKey(), { name: 'dora' })).rejects.toMatchObject({
      code: 'account-name-taken',
    });
    await labels.redeem(code, publicKey(), { name: 'erin' });
  });

  it('while nobody can say whether a name is free, lets nobody choose one, and stays good', async () => {
    const isNameSpokenFor = async () => {
      throw new GatewayError('engine-unavailable', { reason: 'connection refused' });
    };
    const away = createInvites({ store, clock, isNameSpokenFor });
    const { code } = await invite();
    const chosen = (name: string) => away.redeem(code, publicKey(), { name });
    await expect(chosen('dora')).rejects.toMatchObject({
      code: 'name-unchecked',
      message: expect.stringMatching(
        /"dora" is free cannot be told.*try again later, or ask for an invite that/,
      ),
    });
    await expect(chosen('Not Valid')).rejects.toMatchObject({ code: 'invalid-account-name' });
    expect(await accounts.list()).toEqual([]);
    const fixed = await invite({ name: 'erin' });
    expect((await away.redeem(fixed.code, publicKey(), { name: 'dora' })).account.name).toBe('erin');
    const admins = await invite({ role: 'admin' });
    expect((await away.redeem(admins.code, publicKey(), { name: 'frank' })).account.name).toBe('frank');
    expect((await invites.redeem(code, publicKey(), { name: 'dora' })).account.name).toBe('dora');
  });

  it('ends at its time, and is forgotten with the next one', async () => {
    const { code } = await invite();
    clock.nowMs = Date.parse(expiresAt);
    expect(await invites.findByCode(code)).toBeUndefined();
    expect(await invites.list()).toEqual([]);
    await expect(invites.redeem(code, publicKey(), { name: 'alice' })).rejects.toMatchObject({
      code: 'invalid-invite',
    });
    await invites.create({ role: 'member', expiresAt: '2031-01-01T00:00:00.000Z', createdBy: 'gateway' });
    expect(await store.list('invites')).toHaveLength(1);
  });

  it.each(['id', 'code'] as const)('is revoked by its %s', async (by) => {
    const { code, invite: row } = await invite();
    const handle = by === 'id' ? row.id : code;
    expect(await invites.revoke(handle)).toEqual(row);
    expect(await invites.findByCode(code)).toBeUndefined();
    const again = invites.revoke(handle);
    await expect(again).rejects.toMatchObject({
      code: 'invite-not-found',
      message: by === 'id' ? expect.stringContaining(`"${row.id}"`) : expect.not.stringContaining(code),
    });
  });

  it.each(['', '__proto__', 'x'.repeat(1_000_000), 'A'.repeat(26), '\0'.repeat(26), 'a'.repeat(26)])(
    'is not found by a made-up code',
    async (code) => {
      await invite();
      expect(await invites.findByCode(code)).toBeUndefined();
    },
  );

  it('invite-of-nobody: one that is being made while its admin is removed is worth nothing', async () => {
    const keys = createKeys({ store, clock, maxKeysPerAccount: 10 });
    for (const name of ['alice', 'bob']) {
      const { id } = await accounts.add({ name, role: 'admin', origin: 'operator' });
      await keys.add(id, [{ key: publicKey(), restrictions: {} }], {});
    }
    const { id: createdBy } = await accounts.getByName('alice');
    const [, { code }] = await Promise.all([accounts.remove('alice'), invite({ role: 'admin', createdBy })]);
    expect(await invites.findByCode(code)).toBeUndefined();
    expect(await invites.list()).toEqual([]);
    await expect(invites.redeem(code, publicKey(), { name: 'eve' })).rejects.toMatchObject({
      code: 'invalid-invite',
    });
  });

  it('is worth nothing once the admin who made it is disabled, demoted or gone', async () => {
    const keys = createKeys({ store, clock, maxKeysPerAccount: 10 });
    for (const name of ['alice', 'bob']) {
      const { id } = await accounts.add({ name, role: 'admin', origin: 'operator' });
      await keys.add(id, [{ key: publicKey(), restrictions: {} }], {});
    }
    const { id: createdBy } = await accounts.getByName('alice');
    const { code } = await invite({ role: 'admin', createdBy });
    await accounts.setDisabled('alice', true);
    expect(await invites.findByCode(code)).toBeUndefined();
    await accounts.setDisabled('alice', false);
    expect(await invites.findByCode(code)).toBeDefined();
    await accounts.setRole('alice', 'member');
    await expect(invites.redeem(code, publicKey(), { name: 'x' })).rejects.toMatchObject({
      code: 'invalid-invite',
    });
    await accounts.remove('alice');
    expect(await store.list('invites')).toEqual([]);
  });
});
