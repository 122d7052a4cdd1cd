/** Copies from one socket to another through one buffer. Imports nothing but Node. */
import type { OnReadOpts, Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** What Node reads at once by itself. Both ways of 512 forwards take 64 MiB at most. */
const bufferBytes = 64 * 1024;

export interface SteadyCopy {
  /** For the options of the socket that is read, which must be paused before it connects. */
  readonly onread: OnReadOpts;
  /** From now on all that comes goes to `to`, and its end, too. */
  begin(from: Socket, to: Writable): void;
}

/**
 * A buffer made anew for each read costs the collector more than all the copying. Nothing is read while the last of it
 * waits for `to`, which bounds what is under way by the buffer itself.
 */
export function createSteadyCopy(): SteadyCopy {
  let write = (_data: Uint8Array): boolean => false;
  return {
    onread: {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback: (bytes, buffer) => write(buffer.subarray(0, bytes)),
    },
    begin(from, to) {
      let waits = false;
      const written = () => {
        if (waits) from.resume();
        waits = false;
      };
      write = (data) => {
        // As long as the other end sends, its end must be seen.
        if (!to.writable) return true;
        to.write(data, written);
        // What the system took in the very call is out of the buffer.
        waits = to.writableLength > 0;
        return !waits;
      };
      from.once('end', () => to.end());
      from.resume();
    },
  };
}
