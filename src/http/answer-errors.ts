/** Every failure of the gateway's own pages becomes one shape, `{"error","code"}`. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { errorBody, errorHeaders, findRequestFailure } from '../commands/failure-answer.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { toGatewayError } from '../sessions/run-session.ts';
import { isAnswering } from './answers-under-way.ts';
import { ExecFailure } from './exec-failure.ts';

export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError | ExecFailure | GatewayError, request, reply) => {
    if (error instanceof ExecFailure) return send(reply, error.failure, error.status);
    const failure = isGatewayError(error)
      ? error
      : (findRequestFailure(error, 'the request is malformed; see /openapi.json.') ??
        toGatewayError(error, log, { connectionId: request.id }));
    return send(reply, failure, failure.httpStatus);
  });
  app.setNotFoundHandler((request, reply) => {
    const isExec = request.url.split('?', 1)[0] === '/exec';
    const failure = isExec
      ? new GatewayError('method-not-allowed', { allow: 'POST' })
      : new GatewayError('no-such-page', {});
    return send(reply, failure, failure.httpStatus);
  });
}

/** What is no HTTP at all (RFC 9112), or never becomes a request. Behind a sound request it only ends the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (isAnswering(socket)) return void socket.destroy();
  const status = clientErrorStatuses.get(error.code ?? '') ?? '400 Bad Request';
  const failure = new GatewayError('malformed-request', { problem: `this is no HTTP request (${status}).` });
  const body = JSON.stringify(errorBody(failure));
  const head = ['content-type: application/json', `content-length: ${body.length}`, 'connection: close'];
  if (socket.writable) socket.write([`HTTP/1.1 ${status}`, ...head, '', body].join('\r\n'));
  socket.destroySoon();
}

const clientErrorStatuses: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

function send(reply: FastifyReply, failure: GatewayError, status: number) {
  return reply.code(status).headers(errorHeaders(failure)).send(errorBody(failure));
}
