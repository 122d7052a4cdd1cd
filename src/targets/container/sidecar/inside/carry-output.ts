/** Carries what a program writes to the gateway, at the gateway's pace. Imports nothing but Node. */
import { type Output, roomBytes, type TakePiece } from './open-output.ts';
import type { ProgramStream } from './program-order.ts';

/** Far more than Node would have: every pause costs a way to the gateway and back. */
const underWayBytes = 512 * 1024;
/** By a lane, with less than that they are read on: it is told of each piece that has left. */
const goOnBytes = underWayBytes / 2;
/** Of Docker's framing; a lane's is as long. */
const headerBytes = 8;
/** After the exit, of a program whose background child keeps its output open. */
const silenceTicks = 4;
const tickMs = 25;
const atMostMs = 2_000;
/** All that a pipe can hold: what was under way when the program exited is taken in at once, however slow the client. */
const pipeBytes = 1024 * 1024;

export interface CarriedOutput {
  /** The program has exited. Resolves when all that it wrote was handed over. */
  finish(): Promise<void>;
}

/**
 * In the framing of Docker: 8 bytes of header (1 stdout, 2 stderr; 3 zeros; length) before each piece. When the stream
 * has closed, what comes is read and dropped.
 */
export function carryOutput(stream: ProgramStream, stdout: Output, stderr: Output): CarriedOutput {
  const outputs = [stdout, stderr];
  const ended = Promise.withResolvers<void>();
  let open = outputs.length;
  let quietTicks = 0;
  let hasExited = false;
  let isHeld = false;
  let takenWhileHeld = 0;

  const { lane } = stream;
  const waitingBytes = () => lane?.waitingBytes ?? stream.writableLength;
  const resume = () => {
    isHeld = false;
    for (const { socket } of outputs) socket.resume();
  };
  const hold = () => {
    isHeld = true;
    for (const { socket } of outputs) socket.pause();
  };
  const send =
    (kind: number): TakePiece =>
    (piece, release) => {
      quietTicks = 0;
      if (stream.destroyed || stream.writableEnded) return release();
      piece.fill(0, 0, roomBytes);
      piece[headerBytes] = kind;
      piece.writeUInt32BE(piece.length - roomBytes, roomBytes - 4);
      // HTTP/2 does not tell for certain when it needs a piece no more.
      if (!lane) stream.write(piece.subarray(headerBytes));
      else
        lane.send(piece, () => {
          release();
          if (isHeld && lane.waitingBytes <= goOnBytes) resume();
        });
      if (waitingBytes() <= underWayBytes) return;
      if (!hasExited) hold();
      else takenWhileHeld += piece.length;
      if (takenWhileHeld > pipeBytes) ended.resolve();
    };
  stream.on('drain', resume).on('close', resume);
  outputs.forEach(({ socket, carry }, index) => {
    socket.on('error', () => {});
    socket.once('close', () => {
      open--;
      if (open === 0) ended.resolve();
    });
    carry(send(index + 1));
  });
  return {
    async finish() {
      hasExited = true;
      resume();
      let ticks = 0;
      // By ticks and not by the clock: after each of them, all that was there has been read.
      const watch = setInterval(() => {
        ticks++;
        quietTicks++;
        if (quietTicks > silenceTicks || ticks * tickMs >= atMostMs) ended.resolve();
      }, tickMs);
      await ended.promise;
      clearInterval(watch);
    },
  };
}
