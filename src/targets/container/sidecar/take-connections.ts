/** Takes what connects where a program of ours listens in a container. That program is untrusted: it may make things up. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { InboundConnection } from '../../target.ts';
import type { InsideConnection } from './inside-connection.ts';
import { readConnections } from './read-connections.ts';

/** At once, of one listener; what is not taken, goes away by itself. */
const maxTaken = 256;

/** Until `stream`, which tells of them, has closed. */
export function takeConnections(
  inside: InsideConnection,
  stream: Duplex,
  onConnection: (connection: InboundConnection) => void,
  log: Logger,
): void {
  let taken = 0;
  readConnections(stream, (id, origin) => {
    if (taken >= maxTaken || inside.isWorn) return;
    taken++;
    inside.ask(`/take?id=${id}`).then(
      (answered) => {
        answered.stream.once('close', () => taken--);
        onConnection({ stream: answered.stream, ...origin });
      },
      (error) => {
        taken--;
        log.debug({ err: error }, 'a connection was gone before it was taken');
      },
    );
  });
}
