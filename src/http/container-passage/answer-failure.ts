/** Failures of the passage, as the client sees them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody, errorHeaders } from '../../commands/failure-answer.ts';
import type { GatewayError } from '../../errors.ts';

/** For who still sends when the answer is out: hanging up at once would take the answer away again. */
export const lingerMs = 2_000;

/** `realm`: what a browser or git calls the thing it asks a password for. */
export function answerFailure(response: ServerResponse, failure: GatewayError, realm: string): void {
  const body = Buffer.from(`${JSON.stringify(errorBody(failure))}\n`);
  response.writeHead(failure.httpStatus, [
    ...['Content-Type', 'application/json; charset=utf-8'],
    ...['Content-Length', String(body.length)],
    ...['Cache-Control', 'no-store'],
    ...(failure.httpStatus === 401 ? challenges(realm) : Object.entries(errorHeaders(failure)).flat()),
  ]);
  response.end(body);
}

/** git and browsers answer to Basic, programs to Bearer. */
const challenges = (realm: string) => [
  ...['WWW-Authenticate', 'Bearer'],
  ...['WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`],
];

/** After the answer: what is left of the request's body goes nowhere, and not for long. */
export function dropRest(request: IncomingMessage): void {
  if (request.complete) return;
  request.unpipe();
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), lingerMs).unref();
  request.once('close', () => clearTimeout(timer));
}
