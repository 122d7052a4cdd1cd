/** Our end of a pipe that a program writes to. Imports nothing but Node. */
import { Socket } from 'node:net';

/** In front of each piece, for the headers of whoever sends it on. */
export const roomBytes = 16;
/** All that a pipe holds. */
const pieceBytes = 64 * 1024;
/** What is shorter is copied, so that a program of few words does not hold so much for each. */
const copyBelowBytes = 16 * 1024;
/** Of all programs: what one of them may have under way. More at a time is made anew. */
const maxFree = 8;

/** `roomBytes`, then what the program wrote. `release` is called when nobody needs it any more, or never. */
export type TakePiece = (piece: Buffer, release: () => void) => void;

export interface Output {
  /** To pause, resume and destroy it, and for its end. */
  readonly socket: Socket;
  /** All that comes goes to `take`; before, nothing is read. Once. */
  carry(take: TakePiece): void;
}

const free: Buffer[] = [];
const takeMemory = () => free.pop() ?? Buffer.allocUnsafeSlow(roomBytes + pieceBytes);
const giveBack = (memory: Buffer) => {
  if (free.length < maxFree) free.push(memory);
};
const keep = () => {};

/**
 * A piece lies in memory that is used again, and needs none of the ways of a stream: at 64 KiB a piece, which is what a pipe
 * has, these cost more than the system does.
 */
export function openOutput(fd: number): Output {
  let memory = takeMemory();
  let take: TakePiece = () => {};
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      // Asked for after each read.
      buffer: () => memory.subarray(roomBytes),
      callback(bytes) {
        const piece = memory.subarray(0, roomBytes + bytes);
        if (bytes < copyBelowBytes) take(Buffer.from(piece), keep);
        else {
          const taken = memory;
          memory = takeMemory();
          take(piece, () => giveBack(taken));
        }
        return true;
      },
    },
  });
  // Node would read at once.
  socket.pause();
  socket.once('close', () => giveBack(memory));
  return {
    socket,
    carry(taker) {
      take = taker;
      socket.resume();
    },
  };
}

/** The same of a socket that Node has made for a program. */
export const outputOf = (socket: Socket): Output => ({
  socket,
  carry(take) {
    const room = Buffer.alloc(roomBytes);
    socket.on('data', (chunk: Buffer) => take(Buffer.concat([room, chunk]), keep));
  },
});
