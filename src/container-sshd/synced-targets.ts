/** Which containers hold keys of ours. A container that is made anew under the same name may have the same home. */
import { type Clock, isoTime } from '../platform/clock.ts';
import type { SyncedTargetRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

const forgottenAfterMs = 90 * 24 * 3_600_000;

/** On disk before the first key is written. */
export async function noteSynced(store: Store, clock: Clock, targetKey: string): Promise<void> {
  if (await store.get('syncedTargets', targetKey)) return;
  await store.transact((transaction) =>
    transaction.put('syncedTargets', { id: targetKey, since: isoTime(clock) }),
  );
}

/** It is there, so that it is not forgotten soon, should it be missing the next time. */
export async function noteThere(store: Store, targetKey: string): Promise<void> {
  if ((await store.get('syncedTargets', targetKey))?.goneSince === undefined) return;
  await store.transact(async (transaction) => {
    const row = await transaction.get('syncedTargets', targetKey);
    if (row) await transaction.put('syncedTargets', withoutGone(row));
  });
}

export interface SyncedOfEngine {
  readonly store: Store;
  readonly clock: Clock;
  /** Of others it is not known what is there. */
  readonly owns: (targetKey: string) => boolean;
}

/**
 * Notes which of an engine's containers are gone and which are back, and forgets those whose names nobody has taken up for 90
 * days. `there`: all that the engine has listed.
 */
export async function forgetGone(
  { store, clock, owns }: SyncedOfEngine,
  there: ReadonlySet<string>,
): Promise<void> {
  const next = (row: SyncedTargetRow): SyncedTargetRow | undefined => {
    if (there.has(row.id)) return withoutGone(row);
    // Counted from now and not from `since`: it may be missing for a moment only, while it is made anew.
    if (row.goneSince === undefined) return { ...row, goneSince: isoTime(clock) };
    return Date.parse(row.goneSince) < clock.now() - forgottenAfterMs ? undefined : row;
  };
  const rows = await store.list('syncedTargets');
  const changed = rows.filter((row) => owns(row.id) && next(row) !== row);
  if (changed.length === 0) return;
  await store.transact(async (transaction) => {
    for (const { id, goneSince } of changed) {
      const row = await transaction.get('syncedTargets', id);
      // Else somebody has seen it since the engine was asked.
      if (!row || row.goneSince !== goneSince) continue;
      const changedRow = next(row);
      if (changedRow) await transaction.put('syncedTargets', changedRow);
      else await transaction.remove('syncedTargets', id);
    }
  });
}

/** The same row where there is nothing to leave out. */
function withoutGone(row: SyncedTargetRow): SyncedTargetRow {
  const { goneSince, ...there } = row;
  return goneSince === undefined ? row : there;
}
