/**
 * When ssh2 ends a connection it frees the cipher, and then may read on in what came in the same piece of data: by the
 * freed cipher, which ends the process where that is native (chacha20-poly1305), or into a second end, which throws.
 */
import type { Ssh2Protocol } from './ssh2-shapes.ts';

type OnPayload = (payload: Buffer) => unknown;

/** ssh2 takes what a handler returns for the place at which to read on: behind all that there is. */
export const nowhere = Number.POSITIVE_INFINITY;

/** `onPayload`, and nothing after the one with which the connection ended. */
export function stopAtEnd(protocol: Ssh2Protocol, onPayload: OnPayload): OnPayload {
  return (payload) => {
    const readOn = onPayload(payload);
    return protocol._destruct === undefined ? nowhere : readOn;
  };
}
