/** Making an account inside a transaction. */
import { GatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { randomId } from '../platform/ids.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Transaction } from '../store/store.ts';

export type AccountToInsert = Pick<AccountRow, 'name' | 'role' | 'email' | 'origin'>;

const namePattern = /^[a-z][a-z0-9-]{0,31}$/;

/** Throws invalid-account-name. */
export function checkAccountName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new GatewayError('invalid-account-name', { name: excerpt(name) });
}

/** Whether an account has this name or ever had it: labels on containers name accounts. */
export async function isUsedName(transaction: Transaction, name: string): Promise<boolean> {
  const used = await transaction.get('accountNames', name);
  return used !== undefined || (await transaction.find('accounts', 'name', name)) !== undefined;
}

/** Reserves the name for ever. Throws invalid-account-name, account-name-taken, email-taken. */
export async function insertAccount(
  transaction: Transaction,
  { name, role, email, origin }: AccountToInsert,
  clock: Clock,
): Promise<AccountRow> {
  if (await isUsedName(transaction, checkAccountName(name))) {
    throw new GatewayError('account-name-taken', { name });
  }
  if (email !== undefined && (await isUsedEmail(transaction, email)))
    throw new GatewayError('email-taken', {});
  const account: AccountRow = {
    id: randomId(),
    name,
    ...(email === undefined ? {} : { email }),
    role,
    disabled: false,
    createdAt: isoTime(clock),
    origin,
  };
  await transaction.put('accounts', account);
  await transaction.put('accountNames', { id: name, accountId: account.id });
  return account;
}

/** Web servers in containers may know people by it, and few tell capitals apart. */
async function isUsedEmail(transaction: Transaction, email: string): Promise<boolean> {
  const accounts = await transaction.list('accounts');
  return accounts.some((account) => account.email?.toLowerCase() === email.toLowerCase());
}
