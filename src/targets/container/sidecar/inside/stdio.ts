/** The sidecar's own stdin and stdout as one stream. Runs inside the sidecar: imports nothing but Node. */
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Ends when stdin does. Unlike process.stdout, its writes never block the process. */
export function openStdio(): Duplex {
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const output = new Socket({ fd: 1, readable: false, writable: true });
  const stdio = new Duplex({
    highWaterMark: 256 * 1024,
    read: () => void input.resume(),
    write: (chunk: Buffer, _encoding, done) => void output.write(chunk, done),
    writev(chunks, done) {
      output.cork();
      for (const { chunk } of chunks.slice(0, -1)) output.write(chunk as Buffer);
      output.write(chunks.at(-1)?.chunk as Buffer, done);
      output.uncork();
    },
    final: (done) => void output.end(done),
  });
  input.on('data', (chunk) => {
    if (!stdio.push(chunk)) input.pause();
  });
  input.on('end', () => stdio.push(null));
  for (const half of [input, output]) half.on('error', (error) => stdio.destroy(error));
  return stdio;
}
