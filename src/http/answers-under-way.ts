/** Which answers a connection still owes: with pipelining (RFC 9112 §9.3.2) there may be several. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const owed = new WeakMap<Duplex, Set<ServerResponse>>();

export function noteAnswer(response: ServerResponse): void {
  const { socket } = response.req;
  const answers = owed.get(socket) ?? new Set();
  owed.set(socket, answers.add(response));
  response.once('close', () => answers.delete(response));
}

/**
 * Whether anything that is written now would be read as part of an answer, or as the answer to a request that was
 * sound.
 */
export function isAnswering(socket: Duplex): boolean {
  const answers = [...(owed.get(socket) ?? [])];
  return answers.some(({ headersSent, req }) => headersSent || req.complete);
}
