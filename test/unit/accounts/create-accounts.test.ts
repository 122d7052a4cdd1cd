import { beforeEach, describe, expect, it } from 'vitest';
import type { Accounts } from '../../../src/accounts/accounts.ts';
import { createAccounts } from '../../../src/accounts/create-accounts.ts';
import { createInvites } from '../../../src/accounts/create-invites.ts';
import { createKeys } from '../../../src/keys/create-keys.ts';
import type { PublicKey } from '../../../src/keys/key-types.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import type { Role } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { quickKey } from '../../support/keys.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const clock = { now: () => Date.parse('2030-01-01T00:00:00Z') };

let store: Store;
let accounts: Accounts;

const publicKey = (): PublicKey => parseKeysToAdd(quickKey())[0]?.key as PublicKey;
const keys = () => createKeys({ store, clock, maxKeysPerAccount: 10 });

async function addWithKey(name: string, role: Role, expiresAt?: string) {
  const account = await accounts.add({ name, role, origin: 'operator' });
  await keys().add(
    account.id,
    [{ key: publicKey(), restrictions: {} }],
    expiresAt === undefined ? {} : { expiresAt },
  );
  return account;
}

beforeEach(() => {
  store = createMemoryStore();
  accounts = createAccounts({ store, clock });
});

describe('an account', () => {
  it('has an email of its own, whatever its capitals: web servers in containers may know people by it', async () => {
    await accounts.add({ name: 'alice', role: 'member', email: 'a@example.com', origin: 'admin' });
    const same = accounts.add({ name: 'bob', role: 'member', email: 'A@Example.com', origin: 'admin' });
    await expect(same).rejects.toMatchObject({ code: 'email-taken' });
    expect(await accounts.list()).toHaveLength(1);
  });

  it('is made, found and listed', async () => {
    expect(await accounts.isEmpty()).toBe(true);
    const alice = await accounts.add({
      name: 'alice',
      role: 'member',
      email: 'a@example.com',
      origin: 'admin',
    });
    expect(alice).toMatchObject({
      disabled: false,
      createdAt: '2030-01-01T00:00:00.000Z',
      email: 'a@example.com',
    });
    expect(await accounts.getByName('alice')).toEqual(alice);
    expect(await accounts.get(alice.id)).toEqual(alice);
    expect(await accounts.list()).toEqual([alice]);
    expect(await accounts.isEmpty()).toBe(false);
    await expect(accounts.getByName('toString')).rejects.toMatchObject({ code: 'account-not-found' });
  });

  it.each([
    '',
    'A',
    'Alice',
    '1a',
    '-a',
    'a_b',
    'a b',
    'a\n',
    'ä',
    'x'.repeat(33),
    '__proto__',
    'a;b',
    '../a',
    '\x1b[2J',
  ])('cannot be called %j', async (name) => {
    const added = accounts.add({ name, role: 'member', origin: 'operator' });
    await expect(added).rejects.toMatchObject({ code: 'invalid-account-name' });
  });

  it('may be called constructor, which is only a word', async () => {
    await accounts.add({ name: 'constructor', role: 'member', origin: 'invite' });
    expect((await accounts.getByName('constructor')).name).toBe('constructor');
  });

  it('takes a reserved name only from an admin or the operator', async () => {
    for (const name of ['admin', 'root', 'join', 'rexec', 'postern', 'ssh', 'all', 'rexec-web', 'join-us']) {
      const chosen = accounts.add({ name, role: 'member', origin: 'invite' });
      await expect(chosen).rejects.toMatchObject({ code: 'account-name-taken' });
    }
    await accounts.add({ name: 'root', role: 'member', origin: 'admin' });
  });

  it('never gets a name that was ever used', async () => {
    await accounts.add({ name: 'alice', role: 'member', origin: 'operator' });
    await accounts.remove('alice');
    for (const origin of ['operator', 'admin', 'invite'] as const) {
      const again = accounts.add({ name: 'alice', role: 'member', origin });
      await expect(again).rejects.toMatchObject({ code: 'account-name-taken' });
    }
  });

  it('goes with its keys, grants and invites, and leaves those of others', async () => {
    const alice = await addWithKey('alice', 'admin');
    const bob = await addWithKey('bob', 'admin');
    const invites = createInvites({ store, clock });
    for (const { id } of [alice, bob]) {
      await invites.create({ role: 'admin', expiresAt: '2030-02-01T00:00:00.000Z', createdBy: id });
      const terms = {
        users: [],
        noPty: false,
        noForwarding: false,
        noSftp: false,
        createdBy: id,
        createdAt: 'x',
      };
      await store.transact((t) =>
        t.put('grants', { id: `container:web ${id}`, targetKey: 'container:web', accountId: id, ...terms }),
      );
    }
    const [key] = await store.list('keys', 'accountId', alice.id);
    await accounts.remove('alice');
    expect((await store.list('keys')).map(({ accountId }) => accountId)).toEqual([bob.id]);
    expect((await store.list('grants')).map(({ accountId }) => accountId)).toEqual([bob.id]);
    expect((await invites.list()).map(({ createdBy }) => createdBy)).toEqual([bob.id]);
    expect(await store.get('keyTombstones', key?.fingerprint as string)).toBeDefined();
  });
});

describe('the last admin who can log in', () => {
  it('is not removed, disabled or demoted', async () => {
    await addWithKey('alice', 'admin');
    await addWithKey('bob', 'member');
    await accounts.add({ name: 'keyless', role: 'admin', origin: 'operator' });
    await addWithKey('expiring', 'admin', '2030-01-02T00:00:00.000Z');
    await accounts.setDisabled('expiring', true);
    await expect(accounts.remove('alice')).rejects.toMatchObject({ code: 'last-admin' });
    await expect(accounts.setDisabled('alice', true)).rejects.toMatchObject({ code: 'last-admin' });
    await expect(accounts.setRole('alice', 'member')).rejects.toMatchObject({ code: 'last-admin' });
    await accounts.remove('keyless');
    await accounts.setDisabled('expiring', false);
    await accounts.setRole('alice', 'member');
    await expect(accounts.setDisabled('expiring', true)).rejects.toMatchObject({ code: 'last-admin' });
  });

  it('is not the one whose keys have expired', async () => {
    await addWithKey('alice', 'admin');
    await addWithKey('bob', 'admin', '2030-01-02T00:00:00.000Z');
    const later = createAccounts({ store, clock: { now: () => Date.parse('2030-01-03T00:00:00Z') } });
    await expect(later.remove('alice')).rejects.toMatchObject({ code: 'last-admin' });
    await later.remove('bob');
  });

  it('survives two admins who remove each other at once', async () => {
    await addWithKey('alice', 'admin');
    await addWithKey('bob', 'admin');
    const both = await Promise.allSettled([accounts.remove('alice'), accounts.remove('bob')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('the account admin from a key file', () => {
  it('is made once, however often the gateway starts', async () => {
    const key = publicKey();
    const admin = await accounts.ensureAdmin({ key, comment: 'ops', restrictions: {} });
    expect(admin).toMatchObject({ name: 'admin', role: 'admin', origin: 'admin-key' });
    expect(await accounts.ensureAdmin({ key, comment: 'ops', restrictions: {} })).toEqual(admin);
    expect((await keys().list(admin.id)).map(({ name }) => name)).toEqual(['ops']);
  });

  it('is given another key when the file changes', async () => {
    const admin = await accounts.ensureAdmin({ key: publicKey(), restrictions: {} });
    await accounts.ensureAdmin({ key: publicKey(), restrictions: {} });
    expect(await keys().list(admin.id)).toHaveLength(2);
  });

  it('keeps the options in front of the key', async () => {
    const restrictions = { from: '10.0.0.0/8', noPty: true };
    const { id } = await accounts.ensureAdmin({ key: publicKey(), restrictions });
    expect((await keys().list(id))[0]).toMatchObject({ restrictions });
  });

  it('is not one that somebody else made', async () => {
    await accounts.add({ name: 'admin', role: 'admin', origin: 'operator' });
    await expect(accounts.ensureAdmin({ key: publicKey(), restrictions: {} })).rejects.toMatchObject({
      code: 'invalid-config',
    });
    expect(await store.list('keys')).toEqual([]);
  });

  it("does not take somebody else's key", async () => {
    const key = publicKey();
    const { id } = await accounts.add({ name: 'alice', role: 'member', origin: 'operator' });
    await keys().add(id, [{ key, restrictions: {} }], {});
    await expect(accounts.ensureAdmin({ key, restrictions: {} })).rejects.toThrow('"alice"');
    expect(await accounts.list()).toHaveLength(1);
  });

  it('does not get a key back that was removed, unless it has no other', async () => {
    const [lost, kept] = [publicKey(), publicKey()];
    const { id } = await accounts.ensureAdmin({ key: lost, restrictions: {} });
    await keys().add(id, [{ key: kept, restrictions: {} }], {});
    await keys().remove(id, lost.fingerprint, {});
    await accounts.ensureAdmin({ key: lost, restrictions: {} });
    expect((await keys().list(id)).map(({ fingerprint }) => fingerprint)).toEqual([kept.fingerprint]);
    await keys().remove(id, kept.fingerprint, { sure: true });
    await accounts.ensureAdmin({ key: lost, restrictions: {} });
    expect((await keys().list(id)).map(({ fingerprint }) => fingerprint)).toEqual([lost.fingerprint]);
  });

  it('does not rise again once it was removed', async () => {
    await accounts.ensureAdmin({ key: publicKey(), restrictions: {} });
    await addWithKey('alice', 'admin');
    await accounts.remove('admin');
    await expect(accounts.ensureAdmin({ key: publicKey(), restrictions: {} })).rejects.toMatchObject({
      code: 'invalid-config',
    });
  });
});
