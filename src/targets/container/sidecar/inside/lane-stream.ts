/** One stream over a lane, at either end of it. Imports nothing but Node. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { onceGivenOut } from '../../../../platform/lent-reads.ts';
import { frame, frameHeader, headerBytes, writeFrameHeader } from './lane-frames.ts';

const highWaterMark = 64 * 1024;
/** What the socket may hold of it, besides. */
const heldBytes = 256 * 1024;
/** What is written and taken at once, and so never waits, would let nothing else have a turn. */
const turnBytes = 1024 * 1024;

/** For bulk: without what a stream costs each piece. Not to be mixed with `write`. */
export interface LaneSender {
  /** What it was given and the system has not taken. */
  readonly waitingBytes: number;
  /**
   * `piece` begins with 8 bytes that are written here; the rest is data. `sent` is called when it is needed no more. Nothing
   * is sent of a stream that is over.
   */
  send(piece: Buffer, sent: () => void): void;
}

/** Closed when both sides have ended it. The lane's socket is not its own. */
export class LaneStream extends Duplex {
  readonly #socket: Socket;
  readonly #ending: () => Buffer;
  readonly lane: LaneSender;
  #inThisTurn = 0;

  /** `ending`: what goes with its end. */
  constructor(socket: Socket, ending: () => Buffer = () => Buffer.alloc(0)) {
    super({ allowHalfOpen: true, highWaterMark });
    this.#socket = socket;
    this.#ending = ending;
    this.lane = {
      get waitingBytes() {
        return socket.writableLength;
      },
      send: (piece, sent) => {
        // The lane may carry the next one already.
        if (this.destroyed || this.writableEnded) return sent();
        writeFrameHeader(piece, frame.data, piece.length - headerBytes);
        socket.write(piece, sent);
      },
    };
  }

  /** The other side's data, or its end. */
  receive(bytes: Buffer | null): void {
    if (!this.push(bytes) && bytes !== null) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    const length = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
    this.#socket.cork();
    this.#socket.write(frameHeader(frame.data, length));
    for (const { chunk } of chunks) this.#socket.write(chunk);
    // What came together leaves together.
    const uncork = () => this.#socket.uncork();
    if (!onceGivenOut(uncork)) uncork();
    this.#inThisTurn += length;
    if (this.#socket.writableLength > heldBytes) this.#socket.once('drain', done);
    else if (this.#inThisTurn < turnBytes) done();
    else {
      this.#inThisTurn = 0;
      setImmediate(done);
    }
  }

  override _final(done: () => void): void {
    const ending = this.#ending();
    this.#socket.write(Buffer.concat([frameHeader(frame.end, ending.length), ending]));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // It may have been what did not read.
    this.#socket.resume();
    done(error);
  }
}
