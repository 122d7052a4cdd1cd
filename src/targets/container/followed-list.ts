/**
 * The list of an engine among many, which every session asks for, wherever it leads: known while the engine's events are heard,
 * and asked for anew behind the back of those who ask. What changes is there a second later at most, or when `fresh` is wanted.
 */
import { type Hearing, hearChanges } from '../hear-changes.ts';
import type { ContainerSummary, EngineApi } from './engine-api.ts';
import type { WatchedList } from './watched-list.ts';

/** From one time to the next: an engine where much happens is not asked for each of it. */
const pauseMs = 1_000;
/** For texts like "Up 3 minutes", and should an event ever be missed. */
const keptMs = 30_000;

export function createFollowedList(engine: Pick<EngineApi, 'list' | 'openChanges'>): WatchedList {
  let known: { readonly list: readonly ContainerSummary[]; readonly at: number } | undefined;
  let hearing: Hearing | undefined;
  let generation = 0;
  let lastAskedAt = Number.NEGATIVE_INFINITY;
  let soon: NodeJS.Timeout | undefined;

  const forget = () => {
    generation++;
    known = undefined;
  };
  const end = () => {
    clearTimeout(soon);
    soon = undefined;
    hearing?.close();
    hearing = undefined;
    forget();
  };

  async function ask(): Promise<readonly ContainerSummary[]> {
    const mine = ++generation;
    lastAskedAt = performance.now();
    const wasHeard = hearing?.isOpen();
    const list = await engine.list();
    // What was asked for later knows better; what happened before anybody listened may be missing.
    if (mine === generation && wasHeard && hearing?.isOpen()) known = { list, at: performance.now() };
    return list;
  }

  const refreshSoon = () => {
    if (soon) return;
    const waitMs = Math.max(0, lastAskedAt + pauseMs - performance.now());
    soon = setTimeout(() => {
      soon = undefined;
      // Who asks next is told of a failure.
      ask().catch(forget);
    }, waitMs).unref();
  };
  return {
    async get({ fresh = false } = {}) {
      hearing ??= hearChanges(engine, { onOpen: refreshSoon, onChange: refreshSoon, onEnd: end });
      if (known && !fresh && performance.now() - known.at < keptMs) return known.list;
      return ask();
    },
    forget,
    close: end,
  };
}
