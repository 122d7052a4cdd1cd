/**
 * The list of an engine among many, which every session asks for, wherever it leads: known while the engine's events are heard,
 * and asked for anew behind the back of those who ask. What changes is there a second later at most, or when `fresh` is wanted.
 */
import type { Readable } from 'node:stream';
import type { ContainerSummary, EngineApi } from './engine-api.ts';
import type { WatchedList } from './watched-list.ts';

/** From one time to the next: an engine where much happens is not asked for each of it. */
const pauseMs = 1_000;
/** For texts like "Up 3 minutes", and should an event ever be missed. */
const keptMs = 30_000;

export function createFollowedList(engine: Pick<EngineApi, 'list' | 'openChanges'>): WatchedList {
  let known: { readonly list: readonly ContainerSummary[]; readonly at: number } | undefined;
  let following: AbortController | undefined;
  let isHeard = false;
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
    following?.abort();
    following = undefined;
    isHeard = false;
    forget();
  };

  async function ask(): Promise<readonly ContainerSummary[]> {
    const mine = ++generation;
    lastAskedAt = performance.now();
    const wasHeard = isHeard;
    const list = await engine.list();
    // What was asked for later knows better; what happened before anybody listened may be missing.
    if (mine === generation && wasHeard && isHeard) known = { list, at: performance.now() };
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
  const hear = (mine: AbortController, stream: Readable) => {
    const over = () => {
      stream.destroy();
      if (following === mine) end();
    };
    mine.signal.addEventListener('abort', over, { once: true });
    stream.on('data', refreshSoon).on('end', over).on('close', over).on('error', over);
    if (mine.signal.aborted) return over();
    isHeard = true;
    refreshSoon();
  };
  const follow = () => {
    const mine = new AbortController();
    following = mine;
    engine.openChanges(mine.signal).then(
      (stream) => hear(mine, stream),
      () => {
        if (following === mine) end();
      },
    );
  };

  return {
    async get({ fresh = false } = {}) {
      if (!following) follow();
      if (known && !fresh && performance.now() - known.at < keptMs) return known.list;
      return ask();
    },
    forget,
    close: end,
  };
}
