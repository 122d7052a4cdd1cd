/** When keys were last used, written rarely: each key at most once a minute, all of them together. */
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Store } from '../store/store.ts';

const perKeyMs = 60_000;
/** Logins in quick succession share one write. */
const perWriteMs = 1_000;

export function createUseNotes({ store, clock }: { store: Store; clock: Clock }): (keyId: string) => void {
  const noted = new Map<string, number>();
  let waiting = new Map<string, string>();
  let resting: NodeJS.Timeout | undefined;

  function flush(): void {
    if (waiting.size === 0) return;
    const uses = waiting;
    waiting = new Map();
    resting = setTimeout(() => {
      resting = undefined;
      flush();
    }, perWriteMs).unref();
    // A use that could not be noted is no reason to refuse anybody; the store has logged why.
    writeUses(store, uses).catch(() => {});
  }

  return (keyId) => {
    const now = clock.now();
    // A clock that was set back must not keep it from being noted until the old time comes again.
    if (Math.abs(now - (noted.get(keyId) ?? Number.NEGATIVE_INFINITY)) < perKeyMs) return;
    for (const [id, at] of noted) {
      if (Math.abs(now - at) < perKeyMs) break;
      noted.delete(id);
    }
    noted.set(keyId, now);
    waiting.set(keyId, isoTime(clock));
    if (resting === undefined) flush();
  };
}

async function writeUses(store: Store, uses: ReadonlyMap<string, string>): Promise<void> {
  await store.transact(async (transaction) => {
    for (const [id, lastUsedAt] of uses) {
      const row = await transaction.get('keys', id);
      if (row && !(Math.abs(Date.parse(lastUsedAt) - Date.parse(row.lastUsedAt ?? '')) < perKeyMs)) {
        await transaction.put('keys', { ...row, lastUsedAt });
      }
    }
  });
}
