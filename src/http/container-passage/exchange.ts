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

/**
 * An exchange whose answer, while it is none of 101, ends the connection. Undefined, and the connection cut, where an
 * earlier request on it has no answer yet: who sends that does not wait to hear whether the protocol was switched.
 */
export function openUpgradeExchange(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Exchange | undefined {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node's server has let go of the socket: its errors and its drain are ours to hear.
  socket.on('error', () => socket.destroy());
  if (!takesSocket(response, socket as Socket)) {
    socket.destroy();
    return undefined;
  }
  socket.on('drain', () => response.emit('drain'));
  response.once('finish', () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  });
  return { request, response, upgrade: { socket, head } };
}

/** Node keeps the answer that a socket carries to itself, and throws where there is one. */
function takesSocket(response: ServerResponse, socket: Socket): boolean {
  try {
    response.assignSocket(socket);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_HTTP_SOCKET_ASSIGNED') return false;
    throw error;
  }
}
