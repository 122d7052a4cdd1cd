/** The background of a steady peer: connects, again and again, and says who may be asked at the moment. */
import { setTimeout as pause } from 'node:timers/promises';
import { isGatewayError } from '../errors.ts';
import { type ConnectedPeer, type ConnectOptions, connectPeer } from './connect-peer.ts';
import { leavingMethod, movedMethod, movedReason, quietMethod } from './leave.ts';
import type { Handler, Handlers } from './serving.ts';

export interface StayConnectedOptions extends Omit<ConnectOptions, 'handlers'> {
  /** Looked at for each request, so it may grow. */
  readonly handlers: Handlers;
  /** The supervisor will have nothing to do with this process, and says why. It is asked again: another may follow. */
  readonly onRefused?: (sentence: string) => void;
  /** A connection has ended: in order, or not. */
  readonly onLost?: (inOrder: boolean) => void;
}

const firstPauseMs = 10;
const maxPauseMs = 500;
const refusedPauseMs = 5_000;

/**
 * Until the signal is aborted. `onCurrent` is told of each connection, and with undefined when no more may be begun on it,
 * in the same turn.
 */
export async function stayConnected(
  options: StayConnectedOptions,
  onCurrent: (connected: ConnectedPeer | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      await connectUntilLost(options, onCurrent, signal);
      pauseMs = firstPauseMs;
    } catch (error) {
      const refused = isGatewayError(error, 'process-refused');
      if (refused) options.onRefused?.(error.message);
      pauseMs = refused ? refusedPauseMs : Math.min(pauseMs * 2, maxPauseMs);
    }
    await pause(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Throws where there was no connection at all. */
async function connectUntilLost(
  options: StayConnectedOptions,
  onCurrent: (connected: ConnectedPeer | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  let over = false;
  const leave = () => {
    if (!over) onCurrent(undefined);
    over = true;
  };
  const connected = await connectPeer({
    ...options,
    handlers: (peer) => {
      const onLeaving = () => {
        leave();
        peer.giveBack();
        peer.notify(quietMethod);
      };
      const own = new Map<string, Handler>([
        [leavingMethod, onLeaving],
        [movedMethod, () => peer.end(movedReason)],
      ]);
      return { get: (method) => own.get(method) ?? options.handlers.get(method) };
    },
  });
  const { peer } = connected;
  const lost = new Promise<string>((resolve) => {
    peer.onClose((reason) => {
      leave();
      resolve(reason);
    });
  });
  const stop = () => {
    leave();
    peer.end('this process needs it no more');
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  if (!over) onCurrent(connected);
  const reason = await lost;
  signal.removeEventListener('abort', stop);
  options.onLost?.(reason === movedReason);
}
