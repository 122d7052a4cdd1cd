/** Who really sent a request, be there proxies in front or not: noted once, where it arrives. */
import type { IncomingMessage } from 'node:http';
import { type ConnectionEnds, ownEnds } from './connection-ends.ts';

const noted = new WeakMap<IncomingMessage, ConnectionEnds>();

export function noteRequestEnds(request: IncomingMessage, ends: ConnectionEnds): void {
  noted.set(request, ends);
}

/** Both ends as the client sees them, as far as listed proxies tell. */
export const requestEnds = (request: IncomingMessage): ConnectionEnds =>
  noted.get(request) ?? ownEnds(request.socket);
