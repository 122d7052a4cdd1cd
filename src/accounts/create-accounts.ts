/** The rules about accounts over the store. */
import { GatewayError } from '../errors.ts';
import { removeKey } from '../keys/remove-key.ts';
import type { Clock } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { accountRuleId } from '../recordings/recording-modes.ts';
import { removeSecondFactor } from '../second-factor/create-second-factors.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reader, Store, Transaction } from '../store/store.ts';
import type { Accounts } from './accounts.ts';
import { ensureAdminAccount } from './ensure-admin.ts';
import { checkAccountName, insertAccount } from './insert-account.ts';
import { refuseLastAdmin } from './last-admin.ts';
import { isReservedName } from './reserved-names.ts';

export interface AccountsDependencies {
  readonly store: Store;
  readonly clock: Clock;
}

export function createAccounts({ store, clock }: AccountsDependencies): Accounts {
  const update = (name: string, change: (account: AccountRow) => AccountRow): Promise<AccountRow> =>
    store.transact(async (transaction) => {
      const account = await getAccount(transaction, name);
      const changed = change(account);
      if (changed.disabled || changed.role !== 'admin') {
        await refuseLastAdmin(transaction, account, clock.now());
      }
      await transaction.put('accounts', changed);
      return changed;
    });

  return {
    list: () => store.list('accounts'),
    get: (id) => store.get('accounts', id),
    getByName: (name) => getAccount(store, name),
    isEmpty: () => store.isEmpty('accounts'),

    add: (account) =>
      store.transact(async (transaction) => {
        const name = checkAccountName(account.name);
        if (account.origin === 'invite' && isReservedName(name)) {
          throw new GatewayError('account-name-taken', { name });
        }
        return insertAccount(transaction, account, clock);
      }),

    remove: (name) =>
      store.transact(async (transaction) => {
        const account = await getAccount(transaction, name);
        await refuseLastAdmin(transaction, account, clock.now());
        await removeAccount(transaction, account, clock);
        return account;
      }),

    setDisabled: (name, disabled) => update(name, (account) => ({ ...account, disabled })),
    setRole: (name, role) => update(name, (account) => ({ ...account, role })),
    setSecondFactorRequired: (name, required) =>
      store.transact(async (transaction) => {
        const { secondFactorRequired: _, ...account } = await getAccount(transaction, name);
        const changed = { ...account, ...(required ? { secondFactorRequired: true } : {}) };
        await transaction.put('accounts', changed);
        return changed;
      }),

    ensureAdmin: (toAdd) => store.transact((transaction) => ensureAdminAccount(transaction, toAdd, clock)),
  };
}

async function getAccount(reader: Reader, name: string): Promise<AccountRow> {
  const account = await reader.find('accounts', 'name', name);
  if (!account) throw new GatewayError('account-not-found', { account: excerpt(name) });
  return account;
}

/** With everything that would let somebody in because of it; the name stays used. */
async function removeAccount(transaction: Transaction, { id }: AccountRow, clock: Clock): Promise<void> {
  for (const key of await transaction.list('keys', 'accountId', id)) {
    await removeKey(transaction, key, clock);
  }
  for (const grant of await transaction.list('grants', 'accountId', id)) {
    await transaction.remove('grants', grant.id);
  }
  for (const invite of await transaction.list('invites')) {
    if (invite.createdBy === id) await transaction.remove('invites', invite.id);
  }
  await removeSecondFactor(transaction, id);
  await transaction.remove('recordingRules', accountRuleId(id));
  await transaction.remove('accounts', id);
}
