/**
 * Pages that fit together: who reads them one after the other meets each key once, whatever is added and removed in
 * between. The first page notes the order; the others are cut from that, whichever process of the gateway is asked for them.
 */

interface Snapshot {
  readonly ids: readonly string[];
  readonly takenAtMs: number;
}

export interface PageSnapshots {
  /**
   * The order that pages are cut from: `ids` for the first page, and when there is no older one that still counts. `reader`
   * tells readers apart, and is no secret.
   */
  orderOf(reader: string, page: number, ids: readonly string[]): Promise<readonly string[]>;
}

const goodForMs = 60_000;
const maxSnapshots = 1000;

export function createPageSnapshots(now: () => number = Date.now): PageSnapshots {
  const snapshots = new Map<string, Snapshot>();
  return {
    async orderOf(reader, page, ids) {
      const known = snapshots.get(reader);
      if (page > 1 && known && now() - known.takenAtMs < goodForMs) return known.ids;
      snapshots.delete(reader);
      snapshots.set(reader, { ids, takenAtMs: now() });
      const [oldest] = snapshots.keys();
      if (snapshots.size > maxSnapshots && oldest !== undefined) snapshots.delete(oldest);
      return ids;
    },
  };
}
