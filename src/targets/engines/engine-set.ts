/** The engines that are registered, as the store has them at this moment: opened when they come, closed when they go. */
import type { Logger } from 'pino';
import type { EngineRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import type { EngineLink } from './engine-link.ts';

export interface EngineEntry {
  readonly row: EngineRow;
  readonly link: EngineLink;
}

export interface EngineSet {
  /** In order of registering. */
  entries(): Promise<readonly EngineEntry[]>;
  /** Runs `start` for each now and later, and what that returned when it goes. Returns what ends all. */
  follow(start: (entry: EngineEntry) => () => void): () => void;
  close(): Promise<void>;
}

export interface EngineSetOptions {
  readonly store: Pick<Store, 'list' | 'onChange'>;
  readonly open: (row: EngineRow) => EngineLink;
  readonly log: Logger;
}

/** What another connection would have to be made for. */
const wayOf = ({ id, name, url, tls, ssh }: EngineRow) => JSON.stringify([id, name, url, tls, ssh]);

interface Follower {
  readonly start: (entry: EngineEntry) => () => void;
  readonly stops: Map<string, () => void>;
}

export function createEngineSet({ store, open, log }: EngineSetOptions): EngineSet {
  const links = new Map<string, EngineLink>();
  const followers = new Set<Follower>();
  const closing = createClosing(log);
  let reads = 0;
  let read = 0;
  let isClosed = false;

  const close = (way: string, link: EngineLink) => {
    links.delete(way);
    for (const { stops } of followers) {
      stops.get(way)?.();
      stops.delete(way);
    }
    closing.add(link);
  };
  const entryOf = (row: EngineRow): EngineEntry | undefined => {
    const link = links.get(wayOf(row));
    return link && { row, link };
  };

  async function entries(): Promise<readonly EngineEntry[]> {
    const mine = ++reads;
    const rows = await store.list('engines');
    if (isClosed) return [];
    const ways = new Set(rows.map(wayOf));
    // What was read before may come after, and is over.
    if (mine < read) return rows.flatMap((row) => entryOf(row) ?? []);
    read = mine;
    for (const [way, link] of links) if (!ways.has(way)) close(way, link);
    return rows.map((row) => {
      const way = wayOf(row);
      const link = links.get(way) ?? open(row);
      links.set(way, link);
      for (const follower of followers) begin(follower, way, { row, link });
      return { row, link };
    });
  }

  const refresh = () => entries().catch((error) => log.error({ err: error }, 'engines were not read'));
  const stopWatching = store.onChange((changes) => {
    if (changes.some(({ table }) => table === 'engines')) void refresh();
  });
  void refresh();
  return {
    entries,
    follow(start) {
      const follower: Follower = { start, stops: new Map() };
      followers.add(follower);
      void refresh();
      return () => {
        followers.delete(follower);
        for (const stop of follower.stops.values()) stop();
      };
    },
    async close() {
      isClosed = true;
      stopWatching();
      for (const [way, link] of links) close(way, link);
      await closing.all();
    },
  };
}

function begin({ start, stops }: Follower, way: string, entry: EngineEntry): void {
  if (!stops.has(way)) stops.set(way, start(entry));
}

/** Those that are on their way out. */
function createClosing(log: Logger) {
  const closing = new Set<Promise<void>>();
  return {
    add(link: EngineLink): void {
      const closed = link.close().catch((error) => log.warn({ err: error }, 'an engine was not closed'));
      closing.add(closed);
      void closed.finally(() => closing.delete(closed));
    },
    all: () => Promise.all(closing),
  };
}
