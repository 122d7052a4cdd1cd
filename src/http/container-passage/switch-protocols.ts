/** WebSockets (RFC 6455): the handshake is HTTP, and checked; what follows passes byte for byte. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GatewayError } from '../../errors.ts';
import type { Exchange, Upgrade } from './exchange.ts';
import { endToEnd, toHeaders, toRaw } from './header-rules.ts';
import type { RequestHead } from './read-head.ts';
import type { Switched } from './relay.ts';

/** One side has ended; the other has so long to do the same. */
const closingMs = 5_000;

/** Throws malformed-request unless it is a handshake of RFC 6455 §4.1. */
export function checkHandshake(request: IncomingMessage, { method, body }: RequestHead): void {
  const isSound =
    method === 'GET' &&
    request.httpVersion === '1.1' &&
    (body === 'none' || (body !== 'chunked' && Number(body.contentLength) === 0)) &&
    request.headers['sec-websocket-key'] !== undefined;
  if (isSound) return;
  throw new GatewayError('malformed-request', { problem: 'this is no handshake of a WebSocket (RFC 6455).' });
}

/**
 * Throws when the container has not agreed to this very handshake: whoever can make a server say 101 of something
 * else must not get bytes past the header rules.
 */
export async function switchProtocols(
  { request, response }: Exchange,
  upgrade: Upgrade,
  incoming: IncomingMessage,
  switched: Switched,
): Promise<void> {
  const agreed =
    incoming.headers.upgrade?.toLowerCase() === 'websocket' &&
    incoming.headers['sec-websocket-accept'] === acceptOf(request.headers['sec-websocket-key'] ?? '');
  if (!agreed) throw new Error('it agrees to another handshake');
  response.writeHead(
    101,
    toRaw([...endToEnd(toHeaders(incoming.rawHeaders)), ['Connection', 'Upgrade'], ['Upgrade', 'websocket']]),
  );
  response.flushHeaders();
  response.detachSocket(upgrade.socket as Socket);
  await passBytes(upgrade, switched);
}

/** RFC 6455 §4.2.2. */
const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Both ways, until both have ended or one has failed. */
async function passBytes(client: Upgrade, server: Switched): Promise<void> {
  if (client.head.length > 0) client.socket.unshift(client.head);
  if (server.head.length > 0) server.socket.unshift(server.head);
  const destroyBoth = () => {
    client.socket.destroy();
    server.socket.destroy();
  };
  let timer: NodeJS.Timeout | undefined;
  const pass = async (from: Duplex, to: Duplex) => {
    await pipeline(from, to);
    timer ??= setTimeout(destroyBoth, closingMs).unref();
  };
  try {
    await Promise.all([pass(client.socket, server.socket), pass(server.socket, client.socket)]);
  } catch {
    // A connection that breaks is how most of them end.
  } finally {
    clearTimeout(timer);
    destroyBoth();
  }
}
