/**
 * Accepts connections and bounds how many may be unknown at a time: MaxStartups and PerSourceMaxStartups
 * as in sshd_config(5). ssh2 counts nothing (library-traps 5), so the sockets are ours and given to it
 * one by one.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { listenError, parseListenAddress } from '../config/listen-address.ts';
import type { Address } from '../sessions/session.ts';

/** A connection that has not proven who it is. */
export interface Startup {
  /** It has: it no longer counts. */
  authenticated(): void;
}

export interface StartupLimits {
  /** Undefined: refused, and the socket already closed. */
  admit(socket: Socket): Startup | undefined;
}

/** Counts unauthenticated connections; `random` is of [0, 1). `onRefused`: which of the limits it was. */
export function createStartupLimits(
  config: Config,
  onRefused: (limit: 'max_startups' | 'per_source_max_startups') => void = () => {},
  random: () => number = Math.random,
): StartupLimits {
  let startups = 0;
  const bySource = new Map<string, number>();

  return {
    admit(socket) {
      const source = socket.remoteAddress ?? '';
      const ofSource = bySource.get(source) ?? 0;
      // Per source first, so that one source cannot use up what is there for all.
      const isSourceFull = ofSource >= config.perSourceMaxStartups;
      if (isSourceFull || mustDrop(startups, config.maxStartups, random)) {
        onRefused(isSourceFull ? 'per_source_max_startups' : 'max_startups');
        socket.destroy();
        return undefined;
      }
      startups++;
      bySource.set(source, ofSource + 1);
      const leave = () => {
        socket.off('close', leave);
        startups--;
        const left = (bySource.get(source) ?? 1) - 1;
        if (left === 0) bySource.delete(source);
        else bySource.set(source, left);
      };
      socket.once('close', leave);
      return { authenticated: leave };
    },
  };
}

/** MaxStartups start:rate:full, sshd_config(5): refusal grows linearly from `rate` at `start` to all at `full`. */
export function mustDrop(startups: number, limits: Config['maxStartups'], random: () => number): boolean {
  const { start, ratePercent, full } = limits;
  if (startups < start) return false;
  if (startups >= full || ratePercent === 100) return true;
  const chance = ratePercent / 100 + ((1 - ratePercent / 100) * (startups - start)) / (full - start);
  return random() < chance;
}

export interface Listener {
  readonly address: Address;
  /** Stops accepting; those that are connected stay. */
  close(): Promise<void>;
}

/** Listens on `HOST:PORT`; throws a sentence when the port is taken or may not be used. */
export async function openListener(
  listen: string,
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

async function listening(server: Server, listen: string): Promise<void> {
  const { host, port } = parseListenAddress(listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(listenError(listen, '--ssh-listen', error)),
    );
    server.listen({ host, port, backlog: 1024 }, () => resolve());
  });
  server.removeAllListeners('error');
  // Running out of file descriptors while accepting must not end the process.
  server.on('error', () => {});
}
