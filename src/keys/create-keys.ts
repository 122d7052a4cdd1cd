import { GatewayError } from '../errors.ts';
import { isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Reader, Transaction } from '../store/store.ts';
import type { AddKeyOptions, Keys, KeysDependencies, KeyToAdd } from './keys.ts';
import { parsePublicKey } from './parse-public-key.ts';

const noteUseEveryMs = 60_000;

export function createKeys({ store, clock, maxKeysPerAccount }: KeysDependencies): Keys {
  const lastNoted = new Map<string, number>();

  return {
    add: (accountId, keys, options) =>
      store.transact(async (transaction) => {
        if (options.name !== undefined && keys.length !== 1) {
          throw new GatewayError('usage', { problem: '--name goes with a single key.' });
        }
        const rows: KeyRow[] = [];
        for (const key of keys) {
          const row = await newRow(transaction, accountId, key, options, isoTime(clock));
          await transaction.put('keys', row);
          await transaction.remove('keyTombstones', row.fingerprint);
          rows.push(row);
        }
        const count = (await transaction.list('keys', 'accountId', accountId)).length;
        if (count > maxKeysPerAccount) throw new GatewayError('too-many-keys', { limit: maxKeysPerAccount });
        return rows;
      }),

    list: (accountId) => store.list('keys', 'accountId', accountId),

    get: (accountId, nameOrKey) => getKey(store, accountId, nameOrKey),

    remove: (accountId, nameOrKey, { currentKeyId, sure }) =>
      store.transact(async (transaction) => {
        const key = await getKey(transaction, accountId, nameOrKey);
        if (!sure) {
          if ((await transaction.list('keys', 'accountId', accountId)).length === 1)
            throw new GatewayError('last-key', {});
          if (key.id === currentKeyId) throw new GatewayError('current-key', {});
        }
        await transaction.remove('keys', key.id);
        await transaction.put('keyTombstones', { id: key.fingerprint, removedAt: isoTime(clock) });
        return key;
      }),

    rename: (accountId, nameOrKey, newName) =>
      store.transact(async (transaction) => {
        const key = await getKey(transaction, accountId, nameOrKey);
        const others = (await transaction.list('keys', 'accountId', accountId)).filter(
          ({ id }) => id !== key.id,
        );
        const renamed = { ...key, name: freeName(checkName(newName), others) };
        await transaction.put('keys', renamed);
        return renamed;
      }),

    findByFingerprint: (fingerprint) => store.find('keys', 'fingerprint', fingerprint),

    noteUse(keyId) {
      const now = clock.now();
      if (now - (lastNoted.get(keyId) ?? Number.NEGATIVE_INFINITY) < noteUseEveryMs) return;
      lastNoted.set(keyId, now);
      store
        .transact(async (transaction) => {
          const key = await transaction.get('keys', keyId);
          if (key) await transaction.put('keys', { ...key, lastUsedAt: isoTime(clock) });
        })
        .catch(() => lastNoted.delete(keyId));
    },
  };
}

/** The row for a key that may be added; throws why it may not. */
export async function newRow(
  reader: Reader,
  accountId: string,
  { key, comment, restrictions, expiresAt }: KeyToAdd,
  options: AddKeyOptions,
  createdAt: string,
): Promise<KeyRow> {
  const existing = await reader.find('keys', 'fingerprint', key.fingerprint);
  if (existing?.accountId === accountId) throw new GatewayError('duplicate-key', { existing: existing.name });
  if (existing) throw new GatewayError('foreign-key', {});
  if (!options.readd && (await reader.get('keyTombstones', key.fingerprint)))
    throw new GatewayError('readded-key', {});
  const others = await reader.list('keys', 'accountId', accountId);
  const name =
    options.name === undefined
      ? numberedName((comment ?? `${key.type} ${key.fingerprint.slice(7, 15)}`).slice(0, 240), others)
      : freeName(checkName(options.name), others);
  const expiry = [expiresAt, options.expiresAt].filter((time) => time !== undefined).sort()[0];
  return {
    id: randomId(),
    accountId,
    name,
    fingerprint: key.fingerprint,
    publicKey: key.line,
    keyType: key.type,
    kind: options.kind ?? 'user',
    createdAt,
    restrictions,
    ...(expiry === undefined ? {} : { expiresAt: expiry }),
    ...(options.tag === undefined ? {} : { tag: options.tag }),
  };
}

function checkName(name: string): string {
  if (name.length === 0 || name.length > 255 || hasControlCharacters(name)) {
    throw new GatewayError('usage', {
      problem: 'a key name has 1 to 255 characters and no control characters.',
    });
  }
  return name;
}

function freeName(name: string, others: readonly KeyRow[]): string {
  if (others.some((other) => other.name === name)) throw new GatewayError('key-name-taken', { name });
  return name;
}

/** A second key of the same comment is `name (2)`. */
function numberedName(name: string, others: readonly KeyRow[]): string {
  const taken = new Set(others.map((other) => other.name));
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} (${number})`)) number++;
  return `${name} (${number})`;
}

/** By name, fingerprint, or public key. */
async function getKey(reader: Reader | Transaction, accountId: string, nameOrKey: string): Promise<KeyRow> {
  const wanted = nameOrKey.trim();
  const fingerprint = /^(ssh-|ecdsa-|sk-)\S+ AAAA/.test(wanted) ? parsePublicKey(wanted).fingerprint : wanted;
  const keys = await reader.list('keys', 'accountId', accountId);
  const found =
    keys.find(({ name }) => name === wanted) ??
    keys.find((key) => key.fingerprint === fingerprint || key.id === wanted);
  if (!found) throw new GatewayError('key-not-found', { key: wanted.slice(0, 255) });
  return found;
}
