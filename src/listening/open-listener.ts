/** A listening socket: who connects is counted, and given away as they came, for whichever process serves them. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { listenError, parseListenAddress } from '../config/listen-address.ts';
import { createTally, onlyOnce } from '../platform/slots.ts';
import type { Address } from '../sessions/session.ts';

export interface Listener {
  readonly address: Address;
  /** For whoever hands it on: what Node's channel between processes takes for a socket that nobody there is to accept on. */
  handle(): unknown;
  /** Counts one that was accepted by another process before this one, until what is returned is called; `address`: whose. */
  adopt(address?: string): () => void;
  /** Accepts nobody any more; those that are connected stay. */
  close(): void;
}

export interface ListenerOptions {
  /** `HOST:PORT`, or the descriptor of a socket that listens already. */
  readonly listen: string | number;
  /** Where another address is chosen: `--ssh-listen`. */
  readonly flag: string;
  /** Asked at each connection: so many at once, those that other processes serve among them. */
  readonly config: Pick<Config, 'maxConnections'>;
  /**
   * Which addresses are one source, that may hold no more than is left for all others; undefined for one that may be
   * everybody's. Unset: nobody is held to that.
   */
  readonly sourceOf?: (address: string) => string | undefined;
  /** What is used in place of a socket that was accepted: the same, to be read in another way. */
  readonly readAs?: ((accepted: Socket) => Socket) | undefined;
  /** Somebody was turned away because of that. */
  readonly onFull?: () => void;
}

/**
 * `socket` is paused, and nothing of it was read. It counts until it is closed; where another process serves it, and its
 * end is not seen here, until `left` is called.
 */
export type OnSocket = (socket: Socket, left: () => void) => void;

/** Throws a sentence when the port is taken or may not be used. */
export async function openListener(options: ListenerOptions, onSocket: OnSocket): Promise<Listener> {
  const { onFull, readAs = (accepted) => accepted } = options;
  const count = createCount(options);
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const { remoteAddress = '' } = socket;
    if (!count.hasRoom(remoteAddress)) {
      onFull?.();
      return void socket.destroy();
    }
    const left = count.enter(remoteAddress);
    onSocket(readAs(socket).once('close', left), left);
  });
  await listening(server, options);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no port');
  return {
    address: { address: bound.address, port: bound.port },
    handle: () => (server as unknown as { readonly _handle: unknown })._handle,
    adopt: count.enter,
    close: () => void server.close(),
  };
}

function createCount({ config, sourceOf = () => undefined }: ListenerOptions) {
  const bySource = createTally();
  let open = 0;
  return {
    hasRoom(address: string): boolean {
      const source = sourceOf(address);
      const left = config.maxConnections - open;
      return left > 0 && (source === undefined || bySource.of(source) <= left);
    },
    enter(address?: string): () => void {
      const source = address === undefined ? undefined : sourceOf(address);
      open++;
      if (source !== undefined) bySource.change(source, 1);
      return onlyOnce(() => {
        open--;
        if (source !== undefined) bySource.change(source, -1);
      });
    },
  };
}

async function listening(server: Server, { listen, flag }: ListenerOptions): Promise<void> {
  const at = typeof listen === 'number' ? { fd: listen } : { ...parseListenAddress(listen), backlog: 1024 };
  const where = typeof listen === 'number' ? `the inherited socket ${listen}` : listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(where, flag, error)));
    server.listen(at, () => resolve());
  });
  server.removeAllListeners('error');
  // Running out of file descriptors while accepting must not end the process.
  server.on('error', () => {});
}
