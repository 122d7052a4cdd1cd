/** A listener that outlives what it was in: a container that restarts takes with it whoever listened there. */
import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorCode, isGatewayError } from '../errors.ts';
import type { ForwardDestination, RemoteListener } from '../targets/target.ts';

/** From one attempt to the next; after the last, it is over. A minute and a half in all. */
const usualPausesMs: readonly number[] = [500, 500, 1_000, 2_000, 4_000, 7_000, 15_000, 30_000, 30_000];

/** What may be over in a moment. Whatever else an attempt fails with ends it: above all, that it is not allowed any more. */
const passing = new Set<ErrorCode>([
  'container-not-running',
  'sidecar-unavailable',
  'forward-failed',
  'engine-unavailable',
  'engine-failed',
]);

/**
 * Opens a listener, and another at the same place whenever it closes without being asked to. `open` is asked with the
 * place of the first one, its port being known by then; what it throws the first time is thrown.
 */
export async function keepListening(
  place: ForwardDestination,
  open: (place: ForwardDestination) => Promise<RemoteListener>,
  pausesMs = usualPausesMs,
): Promise<RemoteListener> {
  let current = await open(place);
  const bound = current.place;
  const ending = new AbortController();
  const listeners: (() => void)[] = [];
  const end = () => {
    if (ending.signal.aborted) return;
    ending.abort();
    current.close();
    for (const listener of listeners) listener();
  };
  const again = async () => {
    for (const pauseMs of pausesMs) {
      await pause(pauseMs, undefined, { ref: false, signal: ending.signal }).catch(() => {});
      if (ending.signal.aborted) return;
      try {
        current = await open(bound);
        if (ending.signal.aborted) return current.close();
        return watch();
      } catch (error) {
        if (!isGatewayError(error) || !passing.has(error.code)) return end();
      }
    }
    end();
  };
  const watch = () => current.onClose(() => void again());
  watch();
  return {
    place: bound,
    onClose: (listener) => (ending.signal.aborted ? listener() : void listeners.push(listener)),
    close: end,
  };
}
