/** Removing a key inside a transaction, with what stands on it. */
import { type Clock, isoTime } from '../platform/clock.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Transaction } from '../store/store.ts';

/** With it go the exe1 tokens whose exe0 it signed. It leaves a tombstone. */
export async function removeKey(
  transaction: Transaction,
  { id, fingerprint }: KeyRow,
  clock: Clock,
): Promise<void> {
  for (const token of await transaction.list('tokens', 'keyFingerprint', fingerprint)) {
    await transaction.remove('tokens', token.id);
  }
  await transaction.remove('keys', id);
  await transaction.put('keyTombstones', { id: fingerprint, removedAt: isoTime(clock) });
}
