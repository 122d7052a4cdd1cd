/**
 * Keeps the authorized_keys of one engine's containers in step: with the keys, accounts, grants and tags here, as they change and
 * expire, and with containers as they start. Whoever changed something waits for none of it.
 */
import type { Logger } from 'pino';
import { isGatewayError } from '../errors.ts';
import type { EachEngine } from '../targets/joined-engine.ts';
import { createKeepInStep, type KeepInStep, type KeepInStepDependencies } from './keep-in-step.ts';
import { watchKeyChanges } from './key-changes.ts';
import { forgetGone } from './synced-targets.ts';
import { watchEngine } from './watch-engine.ts';
import { createWorkQueue } from './work-queue.ts';

export interface AutoSyncDependencies extends KeepInStepDependencies {
  readonly engine: EachEngine;
  readonly log: Logger;
}

/** Changes that come together are one. */
const settleMs = 200;
const concurrency = 4;
const firstRetryMs = 1_000;
const longestRetryMs = 600_000;
const reconcileAgainMs = 10_000;
/** setTimeout takes no more than 2^31 - 1 ms. */
const longestWaitMs = 2_147_483_647;

/** Returns what ends it. What is under way then ends with the engine. */
export function startAutoSync(dependencies: AutoSyncDependencies): () => void {
  const { engine, store, clock, log } = dependencies;
  const closing = new AbortController();
  const kept = createKeepInStep(dependencies);
  const queue = createSyncQueue(kept, log);
  const timers = createTimers();
  let isWatching = false;
  let isAnew = true;

  const reconcile = async () => {
    if (await isIdle(dependencies)) return;
    if (!isWatching) void watch();
    isWatching = true;
    timers.set('expiry', await untilExpiryMs(dependencies), reconcileSoon);
    const anew = isAnew;
    isAnew = false;
    const targets = await kept.list(anew);
    for (const { id } of targets) queue.add(id);
    await forgetGone({ store, clock, owns: engine.owns }, new Set(targets.map(({ key }) => key)));
  };
  const fail = (error: unknown) => {
    // Else the watch has said so.
    if (!isGatewayError(error, 'engine-unavailable')) log.warn({ err: error }, 'syncing keys failed');
    isAnew = true;
    timers.set('again', reconcileAgainMs, reconcileSoon);
  };
  // Not put off by what follows: under a steady flow of changes it would never come.
  const reconcileSoon = () =>
    timers.setUnlessSet('settle', settleMs, () => {
      reconcile().catch((error) => closing.signal.aborted || fail(error));
    });
  const watch = () =>
    watchEngine(engine, {
      closed: closing.signal,
      log,
      onConnected() {
        isAnew = true;
        reconcileSoon();
      },
      onEvent(id) {
        kept.forget(id);
        queue.add(id);
      },
    });

  const stopWatching = watchKeyChanges(store, reconcileSoon, fail);
  reconcileSoon();
  return () => {
    closing.abort();
    stopWatching();
    queue.close();
    timers.close();
  };
}

/** Nothing to keep in step, and so no need to know of containers. */
const isIdle = async ({ config, store }: AutoSyncDependencies) =>
  config.sync === 'off' && (await store.list('syncedTargets')).length === 0;

async function untilExpiryMs({ store, clock }: AutoSyncDependencies): Promise<number> {
  let nextMs = longestWaitMs;
  for (const { expiresAt } of await store.list('keys')) {
    const ms = Date.parse(expiresAt ?? '') - clock.now();
    if (ms > 0 && ms < nextMs) nextMs = ms;
  }
  return nextMs;
}

const createSyncQueue = ({ update }: KeepInStep, log: Logger) =>
  createWorkQueue({
    concurrency,
    async work(id) {
      const outcome = await update(id);
      if (outcome) log.info({ container: id.slice(0, 12), ...outcome }, 'keys synced');
    },
    retryAfterMs: retryAfter(log),
  });

const retryAfter = (log: Logger) => (error: unknown, attempt: number, id: string) => {
  // The next start of the container begins anew.
  if (isGatewayError(error, 'container-gone') || isGatewayError(error, 'container-not-running')) return;
  const facts = { err: error, container: id.slice(0, 12), attempt };
  log[attempt === 1 ? 'warn' : 'debug'](facts, 'keys were not synced; trying again');
  return Math.min(firstRetryMs * 2 ** (attempt - 1), longestRetryMs);
};

/** One timer a name; none after `close`. */
function createTimers() {
  const timers = new Map<string, NodeJS.Timeout>();
  let isClosed = false;
  const set = (name: string, ms: number, then: () => void) => {
    clearTimeout(timers.get(name));
    if (isClosed) return;
    const fire = () => {
      timers.delete(name);
      then();
    };
    timers.set(name, setTimeout(fire, ms).unref());
  };
  return {
    set,
    setUnlessSet(name: string, ms: number, then: () => void) {
      if (!timers.has(name)) set(name, ms, then);
    },
    close() {
      isClosed = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
