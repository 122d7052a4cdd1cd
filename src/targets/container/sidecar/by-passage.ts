/** A sidecar's connection whose forwards go by a passage, where the sidecar can reach it. */
import type { Duplex } from 'node:stream';
import { type InsideConnection, withDetour } from './inside-connection.ts';
import type { Passage } from './open-passage.ts';

/** To end it, which costs a connection less than cutting it off. */
const endsWithinMs = 5_000;

/** Of `ask`: what the paths begin with that connect to a port. */
const dials = '/tcp?';

export function byPassage(connection: InsideConnection, passage: Passage): InsideConnection {
  return withDetour(connection, {
    async ask(path, body) {
      if (!path.startsWith(dials)) return connection.ask(path, body);
      const expected = passage.expect();
      try {
        const answered = await connection.ask(`${path}&passage=${expected.token}`);
        if (answered.headers['x-passage'] !== 'taken') return answered;
        const { stream } = answered;
        const socket = await expected.arrived().catch((error) => {
          stream.destroy();
          throw error;
        });
        // The stream stays, without data, for as long as the connection: by it the sidecar is in use, and learns the end.
        socket.once('close', () => leave(stream));
        stream.resume();
        return { ...answered, stream: socket, cancel: () => void socket.destroy() };
      } finally {
        expected.forget();
      }
    },
  });
}

function leave(stream: Duplex): void {
  stream.end();
  const deadline = setTimeout(() => stream.destroy(), endsWithinMs).unref();
  stream.once('close', () => clearTimeout(deadline));
}
