/**
 * Pages that fit together: who reads them one after the other meets each key once, whatever is added and removed in
 * between. The first page notes the order; the others are cut from that.
 */
import { createHash } from 'node:crypto';

interface Snapshot {
  readonly ids: readonly string[];
  readonly takenAtMs: number;
}

export interface PageSnapshots {
  /** The order that pages are cut from: `ids` for the first page, and when there is no older one that still counts. */
  orderOf(reader: string, page: number, ids: readonly string[]): readonly string[];
}

const goodForMs = 60_000;
const maxSnapshots = 1000;

export function createPageSnapshots(now: () => number = Date.now): PageSnapshots {
  const snapshots = new Map<string, Snapshot>();
  return {
    orderOf(reader, page, ids) {
      // A token is not kept, not even here.
      const key = createHash('sha256').update(reader).digest('base64');
      const known = snapshots.get(key);
      if (page > 1 && known && now() - known.takenAtMs < goodForMs) return known.ids;
      snapshots.delete(key);
      snapshots.set(key, { ids, takenAtMs: now() });
      const [oldest] = snapshots.keys();
      if (snapshots.size > maxSnapshots && oldest !== undefined) snapshots.delete(oldest);
      return ids;
    },
  };
}
