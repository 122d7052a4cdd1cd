/** `POST /exec`: who asks, how often, and what they ask. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit } from '../audit/audit.ts';
import type { Identity } from '../auth/identity.ts';
import { isTokenRefusal, type TokenAuthenticator } from '../auth/token-authenticator.ts';
import { GatewayError } from '../errors.ts';
import { findBearerToken } from './bearer.ts';
import { ExecFailure } from './exec-failure.ts';
import { type ExecDependencies, runExec } from './exec-run.ts';
import { execSchema, maxBodyBytes } from './exec-schema.ts';
import type { Rate } from './rate.ts';
import { findIdentity, noteIdentity } from './request-log.ts';

export interface ExecRoutesDependencies extends ExecDependencies {
  readonly tokens: TokenAuthenticator;
  readonly rate: Rate;
  readonly audit: Audit;
}

export async function addExecRoutes(
  app: FastifyInstance,
  dependencies: ExecRoutesDependencies,
): Promise<void> {
  const { tokens, rate, audit } = dependencies;

  /** Before the body is read: a stranger makes us keep nothing. */
  async function authenticate(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const identity = await identify(request);
    noteIdentity(request, identity);
    // The body is a command line, whatever it is declared to be, and curl -d declares a form.
    request.headers['content-type'] = 'text/plain';
    const waitSeconds = rate.take(identity.keyId);
    if (waitSeconds === 0) return;
    reply.header('retry-after', String(waitSeconds));
    throw new GatewayError('rate-limited', { seconds: waitSeconds });
  }

  async function identify({ id, headers, socket }: FastifyRequest): Promise<Identity> {
    const source = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const refuse = (reason: string) =>
      audit.loginRefused({ connectionId: id, source: source.address, reason: `token: ${reason}` });
    const token = findBearerToken(headers.authorization);
    const found =
      token === undefined ? undefined : await tokens.authenticate(token, { kind: 'commands', source });
    if (found && !isTokenRefusal(found)) return found;
    refuse(found?.refused ?? 'there is none');
    throw new GatewayError(found?.lacksSecondFactor ? 'token-unproven' : 'unauthorized', {});
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
