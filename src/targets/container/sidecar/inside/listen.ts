/** Listens in the container, and keeps what connects until the gateway takes it. Imports nothing but Node. */
import type { ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { join } from './dial.ts';

/** For the gateway to take a connection; as many wait at most, of one listener. */
const takenWithinMs = 15_000;
const maxWaiting = 128;

const waiting = new Map<string, Socket>();
let lastId = 0;

/** Listens until the stream closes, and tells on it of each connection, a line each: `ID ADDRESS PORT`. */
export async function listenTcp(stream: ServerHttp2Stream, host: string, port: number): Promise<void> {
  const places = addresses(host);
  const connected = announcer(stream);
  const servers: Server[] = [];
  let bound = port;
  for (const each of places) {
    const server = await listen({ ...each, port: bound }, connected).catch((error) => {
      // As sshd has it: one address family of the two is enough, be it that the kernel has no other.
      const isMissing = error.code === 'EAFNOSUPPORT' && each !== places.at(-1);
      if (servers.length === 0 && !isMissing) throw error;
      return undefined;
    });
    if (!server) continue;
    servers.push(server);
    bound = (server.address() as AddressInfo).port;
  }
  serveUntilClosed(stream, servers, { 'x-port': String(bound) });
}

export function serveUntilClosed(
  stream: ServerHttp2Stream,
  servers: readonly { close(): unknown }[],
  headers: Record<string, string>,
): void {
  const close = () => {
    for (const server of servers) server.close();
  };
  if (stream.destroyed) return close();
  stream.on('close', close).on('end', () => stream.end());
  stream.resume();
  stream.respond({ ':status': 200, ...headers });
}

/** RFC 4254 §7.1: empty is everywhere, `localhost` the loopback of both families. */
function addresses(host: string): readonly ListenOptions[] {
  if (host === '' || host === '*') return [{ host: '::' }, { host: '0.0.0.0' }];
  if (host.toLowerCase() === 'localhost') return [{ host: '127.0.0.1' }, { host: '::1' }];
  return [{ host }];
}

export function announcer(stream: ServerHttp2Stream): (socket: Socket) => void {
  const own = new Set<string>();
  stream.on('close', () => {
    for (const id of own) waiting.get(id)?.destroy();
  });
  return (socket) => {
    if (own.size >= maxWaiting || stream.destroyed) return void socket.destroy();
    const id = String(++lastId);
    socket.on('error', () => {});
    const forget = () => {
      clearTimeout(deadline);
      waiting.delete(id);
      own.delete(id);
    };
    const deadline = setTimeout(() => socket.destroy(), takenWithinMs);
    socket.once('close', forget).once('taken', forget);
    waiting.set(id, socket);
    own.add(id);
    stream.write(`${id} ${socket.remoteAddress ?? '-'} ${socket.remotePort ?? 0}\n`);
  };
}

export function listen(options: ListenOptions, connected: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, connected);
    server.once('error', reject);
    server.listen({ backlog: 128, ...options }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** The connection of that id goes to this stream. */
export async function take(stream: ServerHttp2Stream, id: string): Promise<void> {
  const socket = waiting.get(id);
  if (!socket) throw Object.assign(new Error('it has gone'), { code: 'ENOENT' });
  socket.emit('taken');
  stream.respond({ ':status': 200 });
  join(stream, socket);
}
