/** Carries what a program writes to the gateway, at the gateway's pace. Imports nothing but Node. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Far more than Node would have: every pause costs a way to the gateway and back. */
const underWayBytes = 512 * 1024;
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
export function carryOutput(stream: Duplex, stdout: Socket, stderr: Socket): CarriedOutput {
  const sockets = [stdout, stderr];
  const ended = Promise.withResolvers<void>();
  let open = sockets.length;
  let quietTicks = 0;
  let hasExited = false;
  let takenWhileHeld = 0;

  const resume = () => {
    for (const socket of sockets) socket.resume();
  };
  const send = (kind: number) => (chunk: Buffer) => {
    quietTicks = 0;
    if (stream.destroyed) return;
    const header = Buffer.allocUnsafe(8).fill(0);
    header[0] = kind;
    header.writeUInt32BE(chunk.length, 4);
    stream.cork();
    stream.write(header);
    stream.write(chunk);
    stream.uncork();
    if (stream.writableLength <= underWayBytes) return;
    if (!hasExited) for (const socket of sockets) socket.pause();
    else takenWhileHeld += chunk.length;
    if (takenWhileHeld > pipeBytes) ended.resolve();
  };
  stream.on('drain', resume).on('close', resume);
  sockets.forEach((socket, index) => {
    socket.on('error', () => {});
    socket.on('data', send(index + 1));
    socket.once('close', () => {
      open--;
      if (open === 0) ended.resolve();
    });
  });
  return {
    async finish() {
      hasExited = true;
      for (const socket of sockets) socket.resume();
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
