/**
 * Output on its way to the client, in the order it came: written at the client's pace, counted, and
 * so bounded by whoever fills it (`onRoom` says when to go on).
 */
import type { Writable } from 'node:stream';

export interface Outbox {
  readonly bytes: number;
  push(destination: Writable, data: Buffer): void;
  /** Resolves when everything pushed so far was handed over, or dropped. */
  flushed(): Promise<void>;
  /** Drops what is waiting and what will come: nobody is there to read it. */
  discard(): void;
}

/** What one waiting piece costs besides its bytes, so that a flood of tiny pieces is bounded too. */
const pieceBytes = 256;

interface Piece {
  readonly destination: Writable;
  readonly data: Buffer;
}

/** `onRoom` is called whenever the count falls to `roomBelowBytes` or less. */
export function createOutbox(roomBelowBytes: number, onRoom: () => void): Outbox {
  let pieces: Piece[] = [];
  let bytes = 0;
  let pumping = false;
  let pumped: Promise<void> = Promise.resolve();
  let wake: (() => void) | undefined;
  let discarded = false;

  const take = ({ data }: Piece) => {
    const before = bytes;
    bytes -= data.length + pieceBytes;
    if (before > roomBelowBytes && bytes <= roomBelowBytes) onRoom();
  };
  const drained = (destination: Writable) =>
    new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['drain', 'close', 'error']) destination.off(event, done);
        wake = undefined;
        resolve();
      };
      for (const event of ['drain', 'close', 'error']) destination.on(event, done);
      wake = done;
    });
  /** `first`: is not drained yet. */
  const pump = async (first: Piece) => {
    await drained(first.destination);
    take(first);
    while (pieces.length > 0) {
      const batch = pieces;
      pieces = [];
      for (const piece of batch) {
        const { destination, data } = piece;
        if (!discarded && destination.writable && !destination.write(data) && destination.writable) {
          await drained(destination);
        }
        take(piece);
      }
    }
    pumping = false;
  };

  return {
    get bytes() {
      return bytes;
    },
    push(destination, data) {
      if (discarded || data.length === 0) return;
      bytes += data.length + pieceBytes;
      const piece = { destination, data };
      if (pumping) return void pieces.push(piece);
      if (!destination.writable || destination.write(data) || !destination.writable) return take(piece);
      pumping = true;
      pumped = pump(piece);
    },
    flushed: () => pumped,
    discard() {
      discarded = true;
      wake?.();
    },
  };
}
