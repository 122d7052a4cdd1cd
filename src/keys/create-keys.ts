/** The rules about keys over the store. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import { insertKeys } from './insert-keys.ts';
import { checkKeyName } from './key-names.ts';
import type { Keys, KeysDependencies } from './keys.ts';
import { createUseNotes } from './note-uses.ts';
import { parseKeysToAdd } from './parse-keys-to-add.ts';
import { holdsPrivateKey } from './private-key.ts';
import { removeKey } from './remove-key.ts';

export function createKeys(dependencies: KeysDependencies): Keys {
  const { store, clock } = dependencies;
  return {
    add: (accountId, keys, options) =>
      store.transact((transaction) => {
        const { maxKeysPerAccount } = dependencies;
        return insertKeys(transaction, { accountId, keys, options, maxKeysPerAccount, clock });
      }),

    list: (accountId) => store.list('keys', 'accountId', accountId),

    get: (accountId, nameOrKey) => getKey(store, accountId, nameOrKey),

    remove: (accountId, nameOrKey, { currentKeyId, sure }) =>
      store.transact(async (transaction) => {
        const row = await getKey(transaction, accountId, nameOrKey);
        if (sure !== true) {
          const rows = await transaction.list('keys', 'accountId', accountId);
          const others = rows.filter(({ id, expiresAt }) => id !== row.id && !isPast(expiresAt, clock.now()));
          if (others.length === 0) throw new GatewayError('last-key', {});
          if (row.id === currentKeyId) throw new GatewayError('current-key', {});
        }
        await removeKey(transaction, row, clock);
        return row;
      }),

    rename: (accountId, nameOrKey, newName) =>
      store.transact(async (transaction) => {
        const row = await getKey(transaction, accountId, nameOrKey);
        const name = checkKeyName(newName);
        const rows = await transaction.list('keys', 'accountId', accountId);
        if (rows.some((other) => other.id !== row.id && other.name === name)) {
          throw new GatewayError('key-name-taken', { name });
        }
        const renamed: KeyRow = { ...row, name };
        await transaction.put('keys', renamed);
        return renamed;
      }),

    findByFingerprint: (fingerprint) => store.find('keys', 'fingerprint', fingerprint),

    noteUse: createUseNotes({ store, clock }),
  };
}

const isPast = (time: string | undefined, now: number) => time !== undefined && Date.parse(time) <= now;

/** A fingerprint, key or id before a name, so that no name can stand in for another key. */
async function getKey(reader: Reader, accountId: string, nameOrKey: string): Promise<KeyRow> {
  const wanted = nameOrKey.trim();
  if (holdsPrivateKey(wanted)) throw new GatewayError('private-key', {});
  const rows = await reader.list('keys', 'accountId', accountId);
  const fingerprint = wanted.startsWith('SHA256:') ? wanted.replace(/=+$/, '') : fingerprintIn(wanted);
  const found =
    rows.find((row) => row.fingerprint === fingerprint) ??
    rows.find(({ id }) => id === wanted) ??
    rows.find(({ name }) => name === nameOrKey);
  if (!found) throw new GatewayError('key-not-found', { key: excerpt(nameOrKey) });
  return found;
}

/** Of a public key line; undefined for anything else, a name for instance. */
function fingerprintIn(text: string): string | undefined {
  if (!text.includes('AAAA')) return undefined;
  try {
    const [only, ...more] = parseKeysToAdd(text);
    return more.length === 0 ? only?.key.fingerprint : undefined;
  } catch {
    return undefined;
  }
}
