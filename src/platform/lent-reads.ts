/**
 * What a socket reads, in a buffer that is used again as soon as nobody needs what is in it: one made anew for each 64 KiB costs more than
 * to carry them. Imports nothing but Node and `collect-buffers`.
 */

import { type OnReadOpts, Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { carryLent, noteMade } from './collect-buffers.ts';
import { createSideMap } from './side-map.ts';

/** Enough for words; a socket that fills it carries bulk, and has from then on what Node reads at once. */
const wordsBytes = 4 * 1024;
const usualBytes = 64 * 1024;
/** What goes round, at most: more than is under way to a program. */
const roundBytes = 3 * 1024 * 1024;
/** After so many in a row that would have found room in the least, bulk is over. */
const smallOnesAtEnd = 2;
/** What is shorter is copied, where it must be kept, and so is what would hold far more than it is. */
const copyBelowBytes = 16 * 1024;
const copyBelowPart = 4;

/** Bytes of what each has given that are still needed, at most, and the newest of them; Infinity: nobody can tell. */
const held = createSideMap<Readable, () => number>('held');
const takings = createSideMap<Readable, Taking>('taking');

/** Who needs what of what a stream has given, in numbers that only grow. */
export interface Taking {
  /** To be called after each read: nobody needs it any more when `taken` has come to what is returned. Infinity: somebody may keep it. */
  settle(): number;
  taken(): number;
}

export interface LentReadsOptions {
  /** The stream that is given all that comes and takes it, where that is not the socket; undefined: there is none now. */
  readonly reader?: () => Readable | undefined;
  /** What it has room for while it carries no more than a word now and then: what it costs when it is idle. Default: 4 KiB. */
  readonly leastBytes?: number;
  /** What is read at once when even the usual 64 KiB are filled. */
  readonly mostBytes?: number;
}

/** For the options of a socket, which `socket` gives once it is made. */
export function lentReads(
  socket: () => Socket,
  { reader = socket, leastBytes = wordsBytes, mostBytes = usualBytes }: LentReadsOptions = {},
): OnReadOpts {
  let buffer: Buffer = Buffer.allocUnsafeSlow(leastBytes);
  let smallOnes = 0;
  // Of bulk only: what it takes counts for each connection.
  let round: ReturnType<typeof createRound> | undefined;
  return {
    // Asked for after each read.
    buffer: () => buffer,
    callback(bytes) {
      const from = socket();
      const taking = takingOf(reader());
      const isWaiting = round?.isWaiting(taking) === true;
      const piece = buffer.subarray(0, bytes);
      const isFull = bytes === buffer.length;
      const isShort = bytes < Math.max(copyBelowBytes, buffer.length / copyBelowPart);
      smallOnes = bytes < leastBytes ? smallOnes + 1 : 0;
      const isSmallAgain = smallOnes === smallOnesAtEnd;
      // Behind what waits it will wait, too.
      if (isShort && !isFull && (!taking || isWaiting)) {
        const copy = copyOf(piece);
        if (isSmallAgain && buffer.length > leastBytes)
          [buffer, round] = [make(leastBytes, false), undefined];
        return from.push(copy);
      }
      const wantsMore = taking ? carryLent(() => giveOut(() => from.push(piece))) : from.push(piece);
      const until = taking && from.readableLength === 0 ? taking.settle() : Number.POSITIVE_INFINITY;
      const isOver = isSmallAgain || (taking && reader() === undefined);
      const next = isOver ? leastBytes : isFull ? sizeAbove(buffer.length, mostBytes) : buffer.length;
      const isFree = taking !== undefined && until <= taking.taken();
      if (isFree && next === buffer.length) return wantsMore;
      if (next === buffer.length) {
        round ??= createRound(taking);
        buffer = round.exchange(buffer, until);
      } else {
        round = undefined;
        buffer = make(next, taking !== undefined);
      }
      return wantsMore;
    },
  };
}

function sizeAbove(bytes: number, mostBytes: number): number {
  if (bytes < wordsBytes) return wordsBytes;
  return Math.min(bytes < usualBytes ? usualBytes : mostBytes, mostBytes);
}

/** None of Node's pool: who keeps a piece of that keeps all of it. */
function copyOf(piece: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(piece.length);
  copy.set(piece);
  return copy;
}

/** Of what is carried. */
function make(bytes: number, isCarried: boolean): Buffer {
  if (isCarried) noteMade(bytes);
  return Buffer.allocUnsafeSlow(bytes);
}

/** Memory of one size that goes round: somebody still needs what was read into it, the oldest first, or nobody does. */
function createRound(of: Taking | undefined) {
  let waiting: { readonly memory: Buffer; readonly until: number }[] = [];
  let free: Buffer[] = [];
  return {
    isWaiting(taking: Taking | undefined): boolean {
      // Another's numbers say nothing of what was read before.
      if (taking !== of) [waiting, free, of] = [[], [], taking];
      const taken = waiting.length > 0 ? taking?.taken() : undefined;
      while (taken !== undefined && (waiting[0]?.until ?? Number.POSITIVE_INFINITY) <= taken)
        free.push((waiting.shift() as { readonly memory: Buffer }).memory);
      return waiting.length > 0;
    },
    exchange(memory: Buffer, until: number): Buffer {
      // What somebody may keep is theirs; and what so many wait for is not waited for.
      if (until !== Number.POSITIVE_INFINITY) waiting.push({ memory, until });
      if ((waiting.length + free.length) * memory.length > roundBytes) waiting.shift();
      return free.pop() ?? make(memory.length, of !== undefined);
    },
  };
}

/** Undefined: nobody has said. */
export function takingOf(reader: Readable | undefined): Taking | undefined {
  if (!reader) return undefined;
  const known = takings.get(reader);
  if (known || !held.has(reader)) return known;
  let given = 0;
  let taken = 0;
  const taking: Taking = {
    settle: () => ++given,
    taken() {
      if (heldOf(reader) === 0) taken = given;
      return taken;
    },
  };
  takings.set(reader, taking);
  return taking;
}

/** For a stream whose reader knows better than `heldOf` what is needed of it. */
export function takeBy(stream: Readable, taking: Taking): void {
  takings.set(stream, taking);
}

/**
 * From now on whoever listens to `stream` takes what it is given in its order, and `heldBytes` of it, at most, have not been taken.
 * For all other streams than those with lent reads, and what these give on, this means nothing.
 */
export function takeInOrder(stream: Readable, heldBytes: () => number): void {
  held.set(stream, heldBytes);
}

/** The same, where it can only be told whether all has been taken. */
export function takeAtOnce(stream: Readable, isTaken: () => boolean): void {
  takeInOrder(stream, () => (isTaken() ? 0 : Number.POSITIVE_INFINITY));
}

/** Bytes that `stream` has been given and that are still needed, at most, and the newest of them. */
export const heldOf = (stream: Readable): number =>
  stream.readableLength + (held.get(stream)?.() ?? Number.POSITIVE_INFINITY);

const written = createSideMap<Writable, () => number>('written');

/** To be called for a stream that keeps nothing of what was written to it but the last `heldBytes`. */
export function copiesAtOnce(stream: Writable, heldBytes = () => stream.writableLength): void {
  written.set(stream, heldBytes);
}

/** Bytes that it keeps of what was written to it; Infinity: nobody can tell. */
export const keptBy = (stream: Writable): number =>
  stream instanceof Socket ? stream.writableLength : (written.get(stream)?.() ?? Number.POSITIVE_INFINITY);

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
