/** A request and its answer, be it on a connection of the HTTP server or on one that asks to be upgraded. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { lingerMs } from './answer-failure.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the client wants to make of the connection. */
  readonly upgrade?: Upgrade;
}

export interface Upgrade {
  readonly socket: Duplex;
  /** What came behind the request; nobody but a server that has switched protocols may see it. */
  readonly head: Buffer;
}

/** An exchange whose answer, while it is none of 101, ends the connection. */
export function upgradeExchange(request: IncomingMessage, socket: Duplex, head: Buffer): Exchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node's server has let go of the socket: its errors and its drain are ours to hear.
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => response.emit('drain'));
  response.assignSocket(socket as Socket);
  response.once('finish', () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  });
  return { request, response, upgrade: { socket, head } };
}
