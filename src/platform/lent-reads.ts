/**
 * What a socket reads, in a buffer that is used again as soon as nobody needs what is in it: one made anew for each 64 KiB costs more than
 * to carry them. Imports nothing but Node and `collect-buffers`.
 */
import { type OnReadOpts, Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { carryLent, noteMade } from './collect-buffers.ts';

/** Enough for words; a socket that fills it carries bulk, and has from then on what Node reads at once. */
const leastBytes = 4 * 1024;
const usualBytes = 64 * 1024;
/** After so many in a row that would have found room in the least, bulk is over. */
const smallOnesAtEnd = 2;
/** What is shorter is copied, where it must be kept, and so is what would hold far more than it is. */
const copyBelowBytes = 16 * 1024;
const copyBelowPart = 4;

const takers = new WeakMap<Readable, () => boolean>();

export interface LentReadsOptions {
  /** The stream that is given all that comes and takes it at once, where that is not the socket; undefined: there is none now. */
  readonly reader?: () => Readable | undefined;
  /** What is read at once when even the usual 64 KiB are filled. */
  readonly mostBytes?: number;
}

/** For the options of a socket, which `socket` gives once it is made. */
export function lentReads(
  socket: () => Socket,
  { reader = socket, mostBytes = usualBytes }: LentReadsOptions = {},
): OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(leastBytes);
  let smallOnes = 0;
  const largerThan = (bytes: number) => Math.min(bytes < usualBytes ? usualBytes : mostBytes, mostBytes);
  return {
    // Asked for after each read.
    buffer: () => buffer,
    callback(bytes) {
      const from = socket();
      const isTaken = takenBy(from, reader());
      const piece = buffer.subarray(0, bytes);
      const isFull = bytes === buffer.length;
      const isShort = bytes < Math.max(copyBelowBytes, buffer.length / copyBelowPart);
      // Behind what waits it will wait, too.
      if (isShort && !isFull && !isTaken?.()) return from.push(Buffer.from(piece));
      const wantsMore = isTaken ? carryLent(() => giveOut(() => from.push(piece))) : from.push(piece);
      const isFree = isTaken?.() === true;
      smallOnes = bytes < leastBytes ? smallOnes + 1 : 0;
      const isOver = smallOnes === smallOnesAtEnd || (isTaken && reader() === undefined);
      const next = isOver ? leastBytes : isFull ? largerThan(buffer.length) : buffer.length;
      if (isFree && next === buffer.length) return wantsMore;
      buffer = Buffer.allocUnsafeSlow(next);
      // Else it counts as what is carried.
      if (isTaken) noteMade(buffer.length);
      return wantsMore;
    },
  };
}

let afterwards: (() => void)[] | undefined;

/** Calls `give`, which gives out what was read, and then what wanted to be called once that has been done. */
function giveOut<Result>(give: () => Result): Result {
  afterwards = [];
  try {
    return give();
  } finally {
    const acts = afterwards;
    afterwards = undefined;
    for (const act of acts) act();
  }
}

/** Calls `act` when all is given out of what is being read just now; returns false where nothing is. */
export function onceGivenOut(act: () => void): boolean {
  return afterwards !== undefined && afterwards.push(act) > 0;
}

/** Whether nobody needs what was read so far; undefined: nobody can tell. */
function takenBy(from: Socket, reader: Readable | undefined): (() => boolean) | undefined {
  const isTaken = reader && takers.get(reader);
  return isTaken && (() => isTaken() && from.readableLength === 0 && reader.readableLength === 0);
}

/**
 * From now on whoever listens to `stream` keeps nothing of what it is given, when `isTaken` says so behind it. For all other streams
 * than those with lent reads this means nothing.
 */
export function takeAtOnce(stream: Readable, isTaken: () => boolean): void {
  takers.set(stream, isTaken);
}

/** Whether nobody needs what `stream` has given, as far as anybody has said. */
export const isTaken = (stream: Readable): boolean =>
  stream.readableLength === 0 && takers.get(stream)?.() === true;

const emptied = new WeakMap<Writable, () => boolean>();

/** To be called for a stream that keeps nothing of what was written to it once `isEmpty` says so. */
export function copiesAtOnce(stream: Writable, isEmpty = () => stream.writableLength === 0): void {
  emptied.set(stream, isEmpty);
}

/** Whether it keeps nothing now; undefined: nobody can tell. */
export function emptinessOf(stream: Writable): (() => boolean) | undefined {
  return stream instanceof Socket ? () => stream.writableLength === 0 : emptied.get(stream);
}

/**
 * The same socket, to be read in that way from now on: Node gives one that it has accepted no choice. The one given is of no use any more;
 * undefined where that has been closed, or something was read of it already.
 */
export function readAnew(socket: Socket, onread: OnReadOpts): Socket | undefined {
  const holder = socket as unknown as { _handle: object | null };
  const { _handle: handle } = holder;
  if (!handle || socket.readableLength > 0) return undefined;
  holder._handle = null;
  socket.destroy();
  // Node's own way to make one of what was accepted, which its documentation leaves out.
  const options = { handle, allowHalfOpen: socket.allowHalfOpen, onread, manualStart: true };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
