/** Adding keys inside a transaction: what `ssh-key add`, an invite and `--admin-key` have in common. */
import { GatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Transaction } from '../store/store.ts';
import { joinRestrictions } from './join-restrictions.ts';
import { checkKeyName, chooseKeyName } from './key-names.ts';
import type { AddKeyOptions, KeyToAdd } from './keys.ts';

export interface KeysToInsert {
  readonly accountId: string;
  readonly keys: readonly KeyToAdd[];
  readonly options: AddKeyOptions;
  readonly maxKeysPerAccount: number;
  readonly clock: Clock;
}

/** Throws as `Keys.add` does; then the caller must let the transaction fail. */
export async function insertKeys(
  transaction: Transaction,
  { accountId, keys, options, maxKeysPerAccount, clock }: KeysToInsert,
): Promise<readonly KeyRow[]> {
  if (options.name !== undefined && keys.length !== 1) {
    throw new GatewayError('usage', {
      problem: 'a name can be given to one key only, and these are several.',
    });
  }
  if (!(await transaction.get('accounts', accountId))) {
    throw new GatewayError('account-not-found', { account: accountId });
  }
  const existing = await transaction.list('keys', 'accountId', accountId);
  const taken = new Set(existing.map(({ name }) => name));
  const rows: KeyRow[] = [];
  for (const toAdd of keys) {
    await refuseKnownKey(transaction, accountId, toAdd, options);
    const current = existing.length + rows.length;
    const limit = Math.min(maxKeysPerAccount, options.maxKeys ?? maxKeysPerAccount);
    if (current >= limit) {
      throw new GatewayError('too-many-keys', { limit, current });
    }
    const row = keyRow(accountId, toAdd, options, taken, clock);
    taken.add(row.name);
    rows.push(row);
    await transaction.put('keys', row);
    await transaction.remove('keyTombstones', row.fingerprint);
  }
  return rows;
}

async function refuseKnownKey(
  transaction: Transaction,
  accountId: string,
  { key: { fingerprint } }: KeyToAdd,
  { readd }: AddKeyOptions,
): Promise<void> {
  const same = await transaction.find('keys', 'fingerprint', fingerprint);
  if (same && same.accountId !== accountId) throw new GatewayError('foreign-key', {});
  if (same) throw new GatewayError('duplicate-key', { existing: same.name });
  if (readd !== true && (await transaction.get('keyTombstones', fingerprint))) {
    throw new GatewayError('readded-key', {});
  }
}

function keyRow(
  accountId: string,
  { key, comment, restrictions, expiresAt: ownExpiry }: KeyToAdd,
  options: AddKeyOptions,
  taken: ReadonlySet<string>,
  clock: Clock,
): KeyRow {
  const { tag, kind = 'user' } = options;
  // The earlier one: neither the line nor --exp may lengthen what the other says.
  const [expiresAt] = [ownExpiry, options.expiresAt].filter((time) => time !== undefined).sort(byTime);
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > clock.now())) {
    throw new GatewayError('usage', {
      problem: `this key has expired already, on ${expiresAt.slice(0, 10)}.`,
    });
  }
  return {
    id: randomId(),
    accountId,
    name: nameFor({ key, ...(comment === undefined ? {} : { comment }) }, options.name, taken),
    fingerprint: key.fingerprint,
    publicKey: key.line,
    ...(comment === undefined || options.name === undefined ? {} : { comment }),
    keyType: key.type,
    kind,
    createdAt: isoTime(clock),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(tag === undefined ? {} : { tag }),
    restrictions: joinRestrictions(key, restrictions, options.restrictions ?? {}),
  };
}

const byTime = (a: string, b: string) => Date.parse(a) - Date.parse(b);

function nameFor(
  key: Pick<KeyToAdd, 'key' | 'comment'>,
  given: string | undefined,
  taken: ReadonlySet<string>,
): string {
  if (given === undefined) return chooseKeyName(key, taken);
  if (taken.has(checkKeyName(given))) throw new GatewayError('key-name-taken', { name: given });
  return given;
}
