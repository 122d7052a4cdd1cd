/** Follows the engine's events for as long as it takes: connects, listens, and connects again. */
import type { Logger } from 'pino';
import { isGatewayError } from '../errors.ts';
import type { ContainerEngine } from '../targets/target.ts';

export interface EngineWatch {
  /** Events may have been missed before. */
  readonly onConnected: () => void;
  readonly onEvent: (containerId: string) => void;
  readonly closed: AbortSignal;
  readonly log: Logger;
  /** From the first pause between attempts to the longest. */
  readonly pausesMs?: { readonly first: number; readonly longest: number };
  readonly pingEveryMs?: number;
}

type WatchedEngine = Pick<ContainerEngine, 'openEvents' | 'ping'>;

/** Resolves when `closed` aborts. */
export async function watchEngine(engine: WatchedEngine, watch: EngineWatch): Promise<void> {
  const { closed, log, pausesMs = { first: 1_000, longest: 60_000 } } = watch;
  let pauseMs = pausesMs.first;
  let isTold = false;
  while (!closed.aborted) {
    try {
      await listen(engine, watch, () => {
        pauseMs = pausesMs.first;
        isTold = false;
      });
    } catch (error) {
      if (closed.aborted) return;
      // Said once each time it goes away; sessions say it to people.
      // An engine that is not there is no fault of the program's, where a stack would help.
      const why = isGatewayError(error, 'engine-unavailable') ? { reason: error.message } : { err: error };
      log[isTold ? 'debug' : 'warn'](why, 'no news of containers: their keys are not kept in step');
      isTold = true;
    }
    await pause(pauseMs, closed);
    pauseMs = Math.min(pauseMs * 2, pausesMs.longest);
  }
}

async function listen(
  engine: WatchedEngine,
  { onConnected, onEvent, closed, pingEveryMs = 30_000 }: EngineWatch,
  onOpen: () => void,
): Promise<void> {
  const lost = new AbortController();
  const ended = AbortSignal.any([closed, lost.signal]);
  const events = await engine.openEvents(ended);
  onOpen();
  onConnected();
  // A machine that has gone away says nothing, and a quiet engine neither.
  const pings = setInterval(() => engine.ping().catch(() => lost.abort()), pingEveryMs).unref();
  try {
    for await (const { id } of events) onEvent(id);
  } finally {
    clearInterval(pings);
    lost.abort();
  }
}

function pause(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (closed.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      closed.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    closed.addEventListener('abort', done, { once: true });
  });
}
