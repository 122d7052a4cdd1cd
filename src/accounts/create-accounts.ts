import { GatewayError } from '../errors.ts';
import { newRow } from '../keys/create-keys.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Store, Transaction } from '../store/store.ts';
import { checkAccountName } from './account-names.ts';
import type { Accounts } from './accounts.ts';

export interface AccountsDependencies {
  readonly store: Store;
  readonly clock: Clock;
}

export function createAccounts({ store, clock }: AccountsDependencies): Accounts {
  const change = (name: string, edit: (account: AccountRow) => AccountRow) =>
    store.transact(async (transaction) => {
      const account = edit(await getByName(transaction, name));
      await transaction.put('accounts', account);
      await keepAnAdmin(transaction, account);
      return account;
    });

  return {
    list: () => store.list('accounts'),
    get: (id) => store.get('accounts', id),
    getByName: (name) => getByName(store, name),
    add: (account) => store.transact((transaction) => putAccount(transaction, account, isoTime(clock))),

    remove: (name) =>
      store.transact(async (transaction) => {
        const account = await getByName(transaction, name);
        await transaction.remove('accounts', account.id);
        for (const key of await transaction.list('keys', 'accountId', account.id)) {
          await transaction.remove('keys', key.id);
          await transaction.put('keyTombstones', { id: key.fingerprint, removedAt: isoTime(clock) });
        }
        for (const grant of await transaction.list('grants', 'accountId', account.id)) {
          await transaction.remove('grants', grant.id);
        }
        await keepAnAdmin(transaction, account);
        return account;
      }),

    setDisabled: (name, disabled) => change(name, (account) => ({ ...account, disabled })),
    setRole: (name, role) => change(name, (account) => ({ ...account, role })),

    ensureAdmin: (key, comment) =>
      store.transact(async (transaction) => {
        const existing = await transaction.find('accounts', 'name', 'admin');
        if (existing && existing.origin !== 'admin-key') {
          throw new GatewayError('invalid-config', {
            problem:
              'there is an account "admin" that --admin-key did not make, and it was left as it is; start without --admin-key.',
          });
        }
        const account =
          existing ??
          (await putAccount(
            transaction,
            { name: 'admin', role: 'admin', origin: 'admin-key' },
            isoTime(clock),
          ));
        const registered = await transaction.find('keys', 'fingerprint', key.fingerprint);
        if (registered?.accountId === account.id) return account;
        const toAdd = { key, restrictions: {}, ...(comment === undefined ? {} : { comment }) };
        // The operator's own file says so: a key that was removed before is wanted again.
        const row = await newRow(transaction, account.id, toAdd, { readd: true }, isoTime(clock));
        await transaction.put('keys', row);
        await transaction.remove('keyTombstones', row.fingerprint);
        return account;
      }),

    isEmpty: async () => (await store.list('accounts')).length === 0,
  };
}

/** A new account under a name that nobody ever had. */
export async function putAccount(
  transaction: Transaction,
  account: Pick<AccountRow, 'name' | 'role' | 'origin'> & { email?: string },
  createdAt: string,
): Promise<AccountRow> {
  checkAccountName(account.name);
  if (await transaction.get('accountNames', account.name)) {
    throw new GatewayError('account-name-taken', { name: account.name });
  }
  const row: AccountRow = { id: randomId(), disabled: false, createdAt, ...account };
  await transaction.put('accounts', row);
  await transaction.put('accountNames', { id: row.name, accountId: row.id });
  return row;
}

async function getByName(reader: Pick<Store, 'find'>, name: string): Promise<AccountRow> {
  const account = await reader.find('accounts', 'name', name);
  if (!account) throw new GatewayError('account-not-found', { account: name.slice(0, 64) });
  return account;
}

/** Throws last-admin when nobody is left who could let anybody in; `changed` was an admin or is no concern. */
async function keepAnAdmin(transaction: Transaction, changed: AccountRow): Promise<void> {
  const accounts = await transaction.list('accounts');
  for (const { id, role, disabled } of accounts) {
    if (role === 'admin' && !disabled && (await transaction.list('keys', 'accountId', id)).length > 0) return;
  }
  const before = changed.role === 'admin' || accounts.some(({ id }) => id === changed.id);
  if (before) throw new GatewayError('last-admin', {});
}
