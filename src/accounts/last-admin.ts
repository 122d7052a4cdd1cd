import { GatewayError } from '../errors.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';

/** Throws last-admin when `account` is the only admin with a key that is good at `now`. */
export async function refuseLastAdmin(reader: Reader, account: AccountRow, now: number): Promise<void> {
  if (!(await isWorkingAdmin(reader, account, now))) return;
  for (const other of await reader.list('accounts')) {
    if (other.id !== account.id && (await isWorkingAdmin(reader, other, now))) return;
  }
  throw new GatewayError('last-admin', {});
}

async function isWorkingAdmin(reader: Reader, account: AccountRow, now: number): Promise<boolean> {
  if (account.role !== 'admin' || account.disabled) return false;
  const keys = await reader.list('keys', 'accountId', account.id);
  return keys.some(({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > now);
}
