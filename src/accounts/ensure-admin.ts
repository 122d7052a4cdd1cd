/** `--admin-key`: the account `admin` from a file, for provisioning. */
import { GatewayError } from '../errors.ts';
import { insertKeys } from '../keys/insert-keys.ts';
import type { PublicKey } from '../keys/key-types.ts';
import type { KeyToAdd } from '../keys/keys.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Transaction } from '../store/store.ts';
import { insertAccount, isUsedName } from './insert-account.ts';

const adminName = 'admin';

/**
 * A key that was removed from the gateway is not brought back by a restart, as long as the account has
 * another one. Throws invalid-config with a sentence when the account or the key is somebody else's.
 */
export async function ensureAdminAccount(
  transaction: Transaction,
  toAdd: KeyToAdd,
  clock: Clock,
): Promise<AccountRow> {
  const { key } = toAdd;
  const existing = await transaction.find('accounts', 'name', adminName);
  if (existing && existing.origin !== 'admin-key') {
    throw invalid('there is an account "admin" already that --admin-key did not make; start without it.');
  }
  if (!existing && (await isUsedName(transaction, adminName))) {
    throw invalid(
      'the account "admin" was removed, and names are not used again; start without --admin-key.',
    );
  }
  const registered = await transaction.find('keys', 'fingerprint', key.fingerprint);
  if (registered && registered.accountId !== existing?.id) {
    const owner = (await transaction.get('accounts', registered.accountId))?.name ?? 'another';
    throw invalid(`the key of --admin-key is registered with the account "${owner}"; give another one.`);
  }
  if (existing && (registered || (await wasTakenAway(transaction, existing, key)))) return existing;
  const account =
    existing ??
    (await insertAccount(transaction, { name: adminName, role: 'admin', origin: 'admin-key' }, clock));
  await insertKeys(transaction, {
    accountId: account.id,
    keys: [toAdd],
    options: { readd: true },
    maxKeysPerAccount: Number.POSITIVE_INFINITY,
    clock,
  });
  return account;
}

async function wasTakenAway(transaction: Transaction, admin: AccountRow, key: PublicKey): Promise<boolean> {
  const tombstone = await transaction.get('keyTombstones', key.fingerprint);
  return tombstone !== undefined && (await transaction.list('keys', 'accountId', admin.id)).length > 0;
}

const invalid = (problem: string) => new GatewayError('invalid-config', { problem });
