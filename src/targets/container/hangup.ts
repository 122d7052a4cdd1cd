/** Ends what a session left behind when its client is gone: HUP, after a grace TERM, then KILL. */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Leader, Signaller } from './signaller.ts';

export interface Hangups {
  /** From HUP to TERM. */
  readonly graceMs: number;
  /** Starts ending the session that `leader` resolves to; undefined: nothing was started. */
  begin(leader: Promise<Leader | undefined>, onEnded?: () => void): void;
  /** Cuts the graces short and waits, at most `withinMs`, until all is ended. */
  close(withinMs: number): Promise<void>;
}

const killAfterTermMs = 2_000;
/** An engine under load, or a container out of processes, may not start the script at once. */
const retryAfterMs = [200, 500, 1_000, 2_000, 4_000];
/** While the container is paused, what is to be ended there waits with it. */
const looksFirstAfterMs = 500;
const looksEveryMs = 30_000;
/** What a grace shrinks to when the gateway stops. */
const lastGraceMs = 700;

export function createHangups(
  signaller: Signaller,
  options: { readonly hangupGraceMs: number },
  log: Logger,
): Hangups {
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  const grace = (ms: number) =>
    pause(closing.signal.aborted ? Math.min(ms, lastGraceMs) : ms, closing.signal);

  const send = async (leader: Leader, signal: 'HUP' | 'TERM' | 'KILL'): Promise<boolean> => {
    for (let attempt = 0, looks = 0; ; ) {
      try {
        return await signaller.signalSession(leader, signal);
      } catch (error) {
        if (isGone(error) && !closing.signal.aborted && (await signaller.isPaused(leader))) {
          await pause(Math.min(looksFirstAfterMs * 2 ** looks++, looksEveryMs), closing.signal);
          continue;
        }
        // The container being gone is a good end; anything else may pass.
        const ms = retryAfterMs[attempt++];
        if (ms === undefined || isGone(error)) throw error;
        await pause(ms);
      }
    }
  };

  const hangUp = async (starting: Promise<Leader | undefined>) => {
    const leader = await starting;
    if (!leader) return;
    if (!(await send(leader, 'HUP'))) return;
    await grace(options.hangupGraceMs);
    if (!(await send(leader, 'TERM'))) return;
    await grace(killAfterTermMs);
    await send(leader, 'KILL');
  };

  return {
    get graceMs() {
      return options.hangupGraceMs;
    },
    begin(starting, onEnded = () => {}) {
      const ending = hangUp(starting)
        .catch((error) => {
          if (!isGone(error))
            log.warn({ err: error }, 'what a session left in a container could not be ended');
        })
        .finally(() => {
          running.delete(ending);
          onEnded();
        });
      running.add(ending);
    },
    async close(withinMs) {
      closing.abort();
      await Promise.race([Promise.all(running), setTimeoutPromise(withinMs, undefined, { ref: false })]);
    },
  };
}

const isGone = (error: unknown) => [404, 409].includes((error as { statusCode?: number }).statusCode ?? 0);

/** Waits `ms`; when `hurry` aborts meanwhile, at most `lastGraceMs` longer. */
function pause(ms: number, hurry?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(done, ms);
    function done() {
      hurry?.removeEventListener('abort', shorten);
      resolve();
    }
    function shorten() {
      clearTimeout(timer);
      timer = setTimeout(done, Math.min(ms, lastGraceMs));
    }
    if (!hurry?.aborted) hurry?.addEventListener('abort', shorten, { once: true });
  });
}
