/** HTTP by hand: bytes to the gateway's HTTP door, and what comes back. */
import { connect, type Socket } from 'node:net';
import type { Api } from './http-api.ts';

export interface RawConnection {
  readonly socket: Socket;
  /** What came so far, one character a byte. */
  readonly received: () => string;
  /** Resolves when what came matches. */
  readonly until: (pattern: RegExp, withinMs?: number) => Promise<string>;
  /** Resolves to all that came when the gateway has closed the connection. */
  readonly closed: (withinMs?: number) => Promise<string>;
}

export async function openRaw({ gateway }: Api, bytes: string | Buffer): Promise<RawConnection> {
  const { address, port } = gateway.httpAddress ?? { address: '', port: 0 };
  const socket = connect({ host: address, port, allowHalfOpen: true });
  let text = '';
  let over = false;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    tell();
  });
  const end = () => {
    over = true;
    tell();
  };
  socket.on('end', end).on('close', end).on('error', end);
  socket.write(bytes);
  const when = (isThere: () => boolean, withinMs: number) =>
    new Promise<string>((resolve, reject) => {
      const fail = () =>
        reject(new Error(`it did not come; there is: ${JSON.stringify(text.slice(0, 2_000))}`));
      const timer = setTimeout(fail, withinMs);
      const look = () => {
        if (!isThere()) return;
        clearTimeout(timer);
        listeners.delete(look);
        resolve(text);
      };
      listeners.add(look);
      look();
    });
  return {
    socket,
    received: () => text,
    until: (pattern, withinMs = 20_000) => when(() => pattern.test(text), withinMs),
    closed: (withinMs = 20_000) => when(() => over, withinMs),
  };
}

/** A request of these lines, ended by the empty one. */
export const lines = (...each: readonly string[]): string => `${each.join('\r\n')}\r\n\r\n`;

/** The lines that ask for `path` of a container with a token. */
export const requestHead = (container: string, token: string, path: string, method = 'GET') => [
  `${method} ${path} HTTP/1.1`,
  `Host: ${container}.gw.example`,
  `Authorization: Bearer ${token}`,
];
