/**
 * The engine's list of containers, asked for at each session: kept while it is asked for often, for as long as the
 * engine's events say that nothing has changed. An engine needs milliseconds of work for each list.
 */
import { type Hearing, hearChanges } from '../hear-changes.ts';
import type { ListOptions } from '../target.ts';
import type { ContainerSummary, EngineApi } from './engine-api.ts';

export interface WatchedList {
  /** Throws as `EngineApi.list` does. `fresh`: nothing that was kept, where what is kept may be a moment old. */
  get(options?: ListOptions): Promise<readonly ContainerSummary[]>;
  /** What is known is over: we have changed something ourselves. */
  forget(): void;
  close(): void;
}

/** Asked for again within that time, it is watched. */
const oftenMs = 5_000;
/** For texts like "Up 3 minutes", and should an event ever be missed. */
const keptMs = 5_000;
const watchedAtMostMs = 60_000;

export function createWatchedList(engine: Pick<EngineApi, 'list' | 'openChanges'>): WatchedList {
  let known: { readonly list: readonly ContainerSummary[]; readonly at: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let changes = 0;
  let watch: Hearing | undefined;
  let unwatched: NodeJS.Timeout | undefined;

  const forget = () => {
    changes++;
    known = undefined;
  };
  const end = () => {
    clearTimeout(unwatched);
    watch?.close();
    watch = undefined;
    forget();
  };

  return {
    async get({ fresh = false } = {}) {
      const now = performance.now();
      if (!watch && now - askedAt < oftenMs) watch = hearChanges(engine, { onChange: forget, onEnd: end });
      askedAt = now;
      if (watch) {
        clearTimeout(unwatched);
        unwatched = setTimeout(end, watchedAtMostMs).unref();
      }
      if (known && !fresh && now - known.at < keptMs) return known.list;
      const before = changes;
      const isWatched = watch?.isOpen();
      const list = await engine.list();
      if (isWatched && watch?.isOpen() && changes === before) known = { list, at: now };
      return list;
    },
    forget,
    close: end,
  };
}
