/** The SSH door's listening socket. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { listenError, parseListenAddress } from '../config/listen-address.ts';
import type { Address } from '../sessions/session.ts';

export interface Listener {
  readonly address: Address;
  /** Stops accepting; those that are connected stay. */
  close(): Promise<void>;
}

/** Listens on `HOST:PORT`, or at a descriptor that does already; throws a sentence when the port is taken or may not be used. */
export async function openListener(
  listen: string | number,
  config: Pick<Config, 'maxConnections'>,
  onSocket: (socket: Socket) => void,
  onFull: () => void = () => {},
): Promise<Listener> {
  const server = createServer({ noDelay: true, allowHalfOpen: false }, onSocket);
  // Asked by Node at each connection.
  Object.defineProperty(server, 'maxConnections', { get: () => config.maxConnections });
  server.on('drop', onFull);
  await listening(server, listen);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no port');
  return {
    address: { address: bound.address, port: bound.port },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function listening(server: Server, listen: string | number): Promise<void> {
  const at = typeof listen === 'number' ? { fd: listen } : { ...parseListenAddress(listen), backlog: 1024 };
  const where = typeof listen === 'number' ? `the inherited socket ${listen}` : listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(where, '--ssh-listen', error)));
    server.listen(at, () => resolve());
  });
  server.removeAllListeners('error');
  // Running out of file descriptors while accepting must not end the process.
  server.on('error', () => {});
}
