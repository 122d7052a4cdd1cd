/** Unix sockets in the container, with the rights of the user that this runs as. Imports nothing but Node. */
import { closeSync, constants, openSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { join, settle } from './dial.ts';
import { announcer, listen, serveUntilClosed } from './listen.ts';
import { withUmask } from './umask.ts';

/** Of sun_path, unix(7), its NUL taken off. */
export const maxSocketPathBytes = 107;
/** open(2); Node has no name for it. The file is named, but neither read nor written. */
export const oPath = 0o10000000;
/** sshd_config(5) StreamLocalBindMask. */
const bindMask = 0o177;

const descriptorPath = (descriptor: number) => `/proc/self/fd/${descriptor}`;

/** sshd's own folder is `/`. */
export const fromRoot = (path: string) => (path.startsWith('/') ? path : `/${path}`);

/** Connects; a path that is too long for the system call goes by a descriptor of the socket. */
export async function dialSocket(stream: ServerHttp2Stream, asked: string, withinMs: number): Promise<void> {
  const path = fromRoot(asked);
  const isLong = Buffer.byteLength(path) > maxSocketPathBytes;
  const descriptor = isLong ? openSync(path, oPath) : undefined;
  const short = descriptor === undefined ? path : descriptorPath(descriptor);
  const socket = await settle({ path: short }, withinMs).finally(() => {
    if (descriptor !== undefined) closeSync(descriptor);
  });
  connected(stream, socket);
}

function connected(stream: ServerHttp2Stream, socket: Socket): void {
  if (stream.destroyed) return void socket.destroy();
  stream.respond({ ':status': 200 });
  join(stream, socket);
}

/**
 * Where something exists, EADDRINUSE: no link is followed. Returns what ends it and removes the socket. The folder is held by
 * a descriptor until then, so that what is removed is in that very folder, whatever became of its path.
 */
export async function bindSocket(path: string, onSocket: (socket: Socket) => void): Promise<() => void> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const folder = openSync(path.slice(0, slash) || '/', oPath | constants.O_DIRECTORY);
  try {
    const short = `${descriptorPath(folder)}/${name}`;
    // libuv would cut it off.
    if (Buffer.byteLength(short) > maxSocketPathBytes) throw coded('ENAMETOOLONG');
    // Node makes the socket in the very call.
    const server = await withUmask(bindMask, () => listen({ path: short }, onSocket));
    return () => {
      // libuv removes it in this very call.
      server.close();
      closeSync(folder);
    };
  } catch (error) {
    closeSync(folder);
    throw error;
  }
}

export const coded = (code: string) => Object.assign(new Error(code), { code });

/** Listens until the stream closes, and tells on it of each connection, as `listenTcp` does. */
export async function listenSocket(stream: ServerHttp2Stream, asked: string): Promise<void> {
  const close = await bindSocket(fromRoot(asked), announcer(stream));
  serveSocket(stream, close, {});
}

const open = new Set<() => void>();

/** `close` is called once, when the stream has closed or the process ends. */
export function serveSocket(
  stream: ServerHttp2Stream,
  close: () => void,
  headers: Record<string, string>,
): void {
  const closeOnce = () => {
    if (open.delete(closeOnce)) close();
  };
  open.add(closeOnce);
  serveUntilClosed(stream, [{ close: closeOnce }], headers);
}

/** For the end of the process, which would leave them behind. */
export function closeAllSockets(): void {
  for (const close of open) close();
}
