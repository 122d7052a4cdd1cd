/** The Rexec dialect: `/api/ssh`. */
import type { FastifyRequest } from 'fastify';
import { sentenceOf } from '../../commands/interpreter/run-line.ts';
import { type ErrorCode, type GatewayError, isGatewayError } from '../../errors.ts';
import type { Dialect } from '../dialect.ts';
import { addContainerRoutes } from './containers.ts';
import { addHostRoutes } from './hosts.ts';
import { addKeyRoutes } from './keys.ts';
import { addSshdRoutes } from './sshd.ts';

export const rexec: Dialect = {
  name: 'Rexec',
  prefix: '/api/ssh',
  answerFailure: (failure, request) => ({
    status: statuses[failure.code] ?? failure.httpStatus,
    body: { error: messageOf(failure, request), ...stateOf(failure) },
  }),
  addRoutes(app, run) {
    addKeyRoutes(app, run);
    addHostRoutes(app, run);
    addContainerRoutes(app, run);
    addSshdRoutes(app, run);
  },
};

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  'container-not-running': 400,
  'container-gone': 404,
};

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  'no-such-page': 'not found',
  'method-not-allowed': 'method not allowed',
  'body-too-large': 'request body too large',
  'key-not-found': 'SSH key not found',
  'host-not-found': 'host not found',
  'target-not-found': 'container not found',
  'container-gone': 'container not found',
  'container-not-running': 'container is not running',
};

function messageOf(failure: GatewayError, { headers }: FastifyRequest): string {
  if (failure.code === 'unauthorized') {
    return headers.authorization === undefined ? 'Authorization token required' : 'Invalid or expired token';
  }
  if (failure.code === 'malformed-request') return `invalid request: ${sentenceOf(failure)}`;
  return messages[failure.code] ?? sentenceOf(failure);
}

const stateOf = (failure: GatewayError) =>
  isGatewayError(failure, 'container-not-running') ? { status: failure.params.state } : {};
