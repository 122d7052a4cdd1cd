/** For HTTP/2 over a socket, at both of its ends. Imports nothing but Node. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** More than the windows of all streams let an honest end send. */
const maxHeldBytes = 96 * 1024 * 1024;

/**
 * The socket as a stream that takes each write at once: Node's HTTP/2 reads nothing while a write of its own waits, and
 * two ends that both wait for the other to read would for ever. What is held instead is bounded by HTTP/2's windows.
 */
export function unblocked(socket: Socket): Duplex {
  const taken = (done: () => void) => {
    if (socket.writableLength <= maxHeldBytes) return done();
    socket.once('drain', done);
  };
  const stream = new Duplex({
    highWaterMark: 256 * 1024,
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      socket.write(chunk);
      taken(done);
    },
    writev(chunks, done) {
      socket.cork();
      for (const { chunk } of chunks) socket.write(chunk as Buffer);
      socket.uncork();
      taken(done);
    },
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  // HTTP/2 has no use for a half of it.
  stream.once('end', () => stream.destroy());
  socket.on('end', () => stream.push(null)).on('close', () => stream.destroy());
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}
