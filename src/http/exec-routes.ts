/** `POST /exec`: who asks, how often, and what they ask. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Identity } from '../auth/identity.ts';
import { type Api, callerOf } from '../commands/api.ts';
import { maxBodyBytes } from '../commands/failure-answer.ts';
import { GatewayError } from '../errors.ts';
import { findBearerToken } from '../tokens/bearer.ts';
import { ExecFailure } from './exec-failure.ts';
import { type ExecDependencies, runExec } from './exec-run.ts';
import { execSchema } from './exec-schema.ts';
import { findIdentity, noteIdentity } from './request-log.ts';

export interface ExecRoutesDependencies extends ExecDependencies {
  readonly api: Api;
}

export async function addExecRoutes(
  app: FastifyInstance,
  dependencies: ExecRoutesDependencies,
): Promise<void> {
  /** Before the body is read: a stranger makes us keep nothing. */
  async function authenticate(request: FastifyRequest): Promise<void> {
    const token = findBearerToken(request.headers.authorization);
    noteIdentity(request, await dependencies.api.identify(token, callerOf(request.id, request.raw)));
    // The body is a command line, whatever it is declared to be, and curl -d declares a form.
    request.headers['content-type'] = 'text/plain';
  }

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'text/plain',
      { parseAs: 'buffer', bodyLimit: maxBodyBytes },
      (_request, body, done) => done(null, body),
    );
    scope.post('/exec', { schema: execSchema, onRequest: authenticate }, async (request, reply) => {
      const identity = findIdentity(request) as Identity;
      const json = await runExec(dependencies, request, reply, identity, lineOf(request.body));
      if (json === undefined) return reply;
      return reply.header('content-type', 'application/json; charset=utf-8').send(`${json}\n`);
    });
  });
}

function lineOf(body: unknown): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body as Buffer | undefined);
  } catch {
    const problem = 'the body is the command line and must be UTF-8.';
    throw new ExecFailure(new GatewayError('usage', { problem }));
  }
}
