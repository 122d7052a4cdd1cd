/** Which answers a connection still owes: with pipelining (RFC 9112 §9.3.2) there may be several. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createSideMap } from '../platform/side-map.ts';

const owed = createSideMap<Duplex, Set<ServerResponse>>('owed answers');

/** Few clients pipeline at all; each answer that nobody reads is kept. */
export const maxOwedAnswers = 32;

/** Returns false, and cuts the connection, where too many answers are owed on it already. */
export function noteAnswer(response: ServerResponse): boolean {
  const { socket } = response.req;
  const answers = owed.get(socket) ?? new Set();
  // What Node has read already goes on coming after the cut.
  if (answers.size >= maxOwedAnswers) socket.destroy();
  if (socket.destroyed) return false;
  owed.set(socket, answers.add(response));
  response.once('close', () => answers.delete(response));
  return true;
}

/**
 * Has the answer say that it is the connection's last. Returns false where another has said so: what was asked behind
 * that is not to be done (RFC 9112 §9.6).
 */
export function makeLast(response: ServerResponse): boolean {
  const answers = [...(owed.get(response.req.socket) ?? [])];
  // Its own says so from the start where the client asked for that.
  if (answers.some((each) => each !== response && !each.shouldKeepAlive)) return false;
  response.shouldKeepAlive = false;
  return true;
}

/** Once the whole answer is out, the client must go on reading it: after `stallMs` without, the connection is cut. */
export function boundReading(response: ServerResponse, stallMs: number): void {
  response.once('prefinish', () => response.socket?.setTimeout(stallMs));
  // Ahead of Node's own listener, which says how long the connection may be idle next.
  response.prependOnceListener('finish', () => response.socket?.setTimeout(0));
}

/**
 * Whether anything that is written now would be read as part of an answer, or as the answer to a request that was
 * sound.
 */
export function isAnswering(socket: Duplex): boolean {
  const answers = [...(owed.get(socket) ?? [])];
  return answers.some(({ headersSent, req }) => headersSent || req.complete);
}
