/** Which containers hold keys of ours. A container that is made anew under the same name may have the same home. */
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';

const forgottenAfterMs = 90 * 24 * 3_600_000;

/** On disk before the first key is written. */
export async function noteSynced(store: Store, clock: Clock, targetKey: string): Promise<void> {
  if (await store.get('syncedTargets', targetKey)) return;
  await store.transact((transaction) =>
    transaction.put('syncedTargets', { id: targetKey, since: isoTime(clock) }),
  );
}

export interface SyncedOfEngine {
  readonly store: Store;
  readonly clock: Clock;
  /** Of others it is not known what is there. */
  readonly owns: (targetKey: string) => boolean;
}

/** Those of an engine's containers that are not there any more, and whose names nobody has taken up for 90 days. */
export async function forgetGone(
  { store, clock, owns }: SyncedOfEngine,
  there: ReadonlySet<string>,
): Promise<void> {
  const isOver = ({ id, since }: { id: string; since: string }) =>
    owns(id) && !there.has(id) && Date.parse(since) < clock.now() - forgottenAfterMs;
  const over = (await store.list('syncedTargets')).filter(isOver);
  if (over.length === 0) return;
  await store.transact(async (transaction) => {
    for (const { id } of over) await transaction.remove('syncedTargets', id);
  });
}
