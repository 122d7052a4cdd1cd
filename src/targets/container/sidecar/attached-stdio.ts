/** The gateway's end of a sidecar's stdin and stdout: the engine's connection without its framing. */
import { Duplex } from 'node:stream';
import { createFrameReader } from '../frames.ts';

/** Both ways at the slower side's pace. `onStderr`: what the sidecar has to say, for the log. */
export function openAttachedStdio(connection: Duplex, onStderr: (text: string) => void): Duplex {
  const stdio = new Duplex({
    highWaterMark: 256 * 1024,
    read: () => void connection.resume(),
    write: (chunk: Buffer, _encoding, done) => void connection.write(chunk, done),
    writev(chunks, done) {
      connection.cork();
      for (const { chunk } of chunks.slice(0, -1)) connection.write(chunk as Buffer);
      connection.write(chunks.at(-1)?.chunk as Buffer, done);
      connection.uncork();
    },
    final: (done) => void connection.end(done),
    destroy(error, done) {
      connection.destroy();
      done(error);
    },
  });
  const read = createFrameReader((from, data) => {
    if (from === 'stderr') onStderr(data.toString('utf8'));
    else if (!stdio.push(data)) connection.pause();
  });
  connection.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      stdio.destroy(error as Error);
    }
  });
  connection.on('end', () => stdio.push(null)).on('close', () => stdio.destroy());
  connection.on('error', (error) => stdio.destroy(error));
  return stdio;
}
