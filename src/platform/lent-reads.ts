/**
 * What a socket reads, in a buffer that is used again as soon as nobody needs what is in it: one made anew for each 64 KiB costs more than
 * to carry them. Imports nothing but Node and `collect-buffers`.
 */
import type { OnReadOpts, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { carryLent, noteMade } from './collect-buffers.ts';

/** Enough for words; a socket that fills it carries bulk, and has from then on what Node reads at once. */
const leastBytes = 4 * 1024;
const mostBytes = 64 * 1024;
/** What is shorter is copied, where it must be kept. */
const copyBelowBytes = 16 * 1024;

const takers = new WeakMap<Readable, () => boolean>();

/** For the options of a socket, which `socket` gives once it is made. */
export function lentReads(socket: () => Socket): OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(leastBytes);
  return {
    // Asked for after each read.
    buffer: () => buffer,
    callback(bytes) {
      const from = socket();
      const isTaken = takers.get(from);
      const piece = buffer.subarray(0, bytes);
      const isFull = bytes === buffer.length;
      if (!isTaken && bytes < copyBelowBytes && !isFull) return from.push(Buffer.from(piece));
      const wantsMore = isTaken ? carryLent(() => from.push(piece)) : from.push(piece);
      const isFree = isTaken?.() === true && from.readableLength === 0;
      const grows = isFull && buffer.length < mostBytes;
      if (grows || !isFree) {
        buffer = Buffer.allocUnsafeSlow(grows ? mostBytes : buffer.length);
        // Else it counts as what is carried.
        if (isTaken) noteMade(buffer.length);
      }
      return wantsMore;
    },
  };
}

/**
 * From now on whoever listens to `stream` keeps nothing of what it is given, when `isTaken` says so behind it. For all other streams
 * than those with lent reads this means nothing.
 */
export function takeAtOnce(stream: Readable, isTaken: () => boolean): void {
  takers.set(stream, isTaken);
}
