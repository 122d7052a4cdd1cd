/** Puts the dialects' routes into the HTTP door: who asks, what is no route, and failures in each one's own words. */
import { createHash } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Identity } from '../auth/identity.ts';
import { type Api, callerOf } from '../commands/api.ts';
import { errorHeaders, findRequestFailure, maxBodyBytes } from '../commands/failure-answer.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { toGatewayError } from '../sessions/run-session.ts';
import { findBearerToken } from '../tokens/bearer.ts';
import { type Dialect, DialectFailure, type RunCommand } from './dialect.ts';
import type { PageSnapshots } from './page-snapshots.ts';
import { raidboxes } from './raidboxes/raidboxes.ts';
import { rexec } from './rexec/rexec.ts';
import { scalingo } from './scalingo/scalingo.ts';
import { xyrapanel } from './xyrapanel/xyrapanel.ts';

const dialects: readonly Dialect[] = [rexec, raidboxes, xyrapanel, ...scalingo];

export interface DialectServices {
  readonly api: Api;
  readonly log: Logger;
  readonly pageSnapshots: PageSnapshots;
  /** For the request's line in the log. */
  readonly noteIdentity: (request: FastifyRequest, identity: Identity) => void;
}

export async function addDialects(app: FastifyInstance, services: DialectServices): Promise<void> {
  for (const dialect of dialects) {
    await app.register(async (scope) => addDialect(scope, dialect, services), { prefix: dialect.prefix });
  }
}

function addDialect(scope: FastifyInstance, dialect: Dialect, services: DialectServices): void {
  const known = new WeakMap<FastifyRequest, { readonly identity: Identity; readonly token: string }>();
  const routes = noteRoutes(scope, dialect.name);
  scope.addHook('onRequest', async (request) => {
    const token = dialect.findToken?.(request) ?? findBearerToken(request.headers.authorization);
    const identity = await services.api.identify(token, callerOf(request.id, request.raw));
    known.set(request, { identity, token: token ?? '' });
    services.noteIdentity(request, identity);
    readAsJson(request);
  });
  scope.setErrorHandler((error: FastifyError, request, reply) => {
    const failure = error instanceof DialectFailure ? error : failureOf(error, request, services.log);
    return answer(reply, request, dialect, failure);
  });
  scope.setNotFoundHandler((request, reply) => {
    const allow = routes.methodsOf(request.url);
    const failure =
      allow.length === 0
        ? new GatewayError('no-such-page', {})
        : new GatewayError('method-not-allowed', { allow: allow.join(', ') });
    return answer(reply, request, dialect, failure);
  });
  addJsonParser(scope);
  const getCaller = (request: FastifyRequest) => {
    const caller = known.get(request);
    if (!caller) throw new Error('a request of nobody');
    return caller;
  };
  const run: RunCommand = async <Data>(
    request: FastifyRequest,
    words: readonly string[],
    options = {},
  ): Promise<Data> => {
    const { identity } = getCaller(request);
    const { id, raw, socket } = request;
    const gone = new AbortController();
    const hangUp = () => gone.abort();
    socket.once('close', hangUp);
    try {
      const whileThere = { ...options, closed: gone.signal };
      return (await services.api.run(identity, words, callerOf(id, raw), whileThere)) as Data;
    } finally {
      socket.off('close', hangUp);
    }
  };
  dialect.addRoutes(scope, run, {
    accountIdOf: (request) => getCaller(request).identity.accountId,
    exchangeToken(request) {
      const { identity, token } = getCaller(request);
      return services.api.exchange(token, identity);
    },
    orderOfPage(request, { page, perPage, ids }) {
      // Each token has pages of its own; it is not kept, not even there.
      const reader = createHash('sha256').update(`${perPage} ${getCaller(request).token}`);
      return services.pageSnapshots.orderOf(reader.digest('base64'), page, ids);
    },
  });
}

/** Clients declare bodies as they like, and some declare one where there is none. */
function readAsJson({ headers }: FastifyRequest): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody) headers['content-type'] = 'application/json';
  else delete headers['content-type'];
}

function addJsonParser(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: maxBodyBytes }, parse);
}

/** Which methods there are for a path: 405 says so. */
function noteRoutes(scope: FastifyInstance, tag: string) {
  const routes: { readonly pattern: RegExp; readonly method: string }[] = [];
  scope.addHook('onRoute', (route) => {
    const path = route.url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+');
    for (const method of [route.method].flat()) routes.push({ pattern: new RegExp(`^${path}/?$`), method });
    route.schema = { tags: [tag], security: [{ token: [] }], ...route.schema };
  });
  return {
    methodsOf(url: string): string[] {
      const path = (url.split('?', 1)[0] ?? '').replace(/\/{2,}/g, '/');
      return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    },
  };
}

function failureOf(error: FastifyError, request: FastifyRequest, log: Logger): GatewayError {
  if (isGatewayError(error)) return error;
  const refused = findRequestFailure(error, 'the body is not JSON.');
  return refused ?? toGatewayError(error, log, { connectionId: request.id });
}

function answer(
  reply: FastifyReply,
  request: FastifyRequest,
  dialect: Dialect,
  failure: GatewayError | DialectFailure,
) {
  if (failure instanceof DialectFailure) return reply.code(failure.answer.status).send(failure.answer.body);
  const { status, body } = dialect.answerFailure(failure, request);
  return reply.code(status).headers(errorHeaders(failure)).send(body);
}
