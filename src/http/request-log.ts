/** One line in the log for each request, without headers, query and body: tokens may stand in all of them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { withinBudget } from '../audit/within-budget.ts';
import type { Identity } from '../auth/identity.ts';
import { maskSecrets } from '../commands/interpreter/mask.ts';
import type { Meter } from '../metrics/meter.ts';
import { steadyClock } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';
import { requestEnds } from '../proxies/request-source.ts';

const longestPath = 200;
const identities = new WeakMap<FastifyRequest, Identity>();

/** For the request's line in the log. */
export function noteIdentity(request: FastifyRequest, identity: Identity): void {
  identities.set(request, identity);
}

export const findIdentity = (request: FastifyRequest): Identity | undefined => identities.get(request);

export function logRequests(app: FastifyInstance, log: Logger, meter: Meter): void {
  const tellOfStrangers = withinBudget([(_event, fields) => log.info(fields, 'request')], steadyClock);
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.addHook('onResponse', async (request, reply) => {
    const identity = identities.get(request);
    meter.httpAnswered({
      route: request.is404 ? 'none' : (request.routeOptions.url ?? 'none'),
      method: request.method,
      status: reply.raw.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    const fields = {
      requestId: request.id,
      method: request.method,
      path: loggedPath(request.url),
      status: reply.raw.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      source: requestEnds(request.raw).source.address,
      ...(identity ? { account: identity.accountName, fingerprint: identity.fingerprint } : {}),
    };
    if (!identity) tellOfStrangers('request-refused', fields);
    else log.info(fields, 'request');
  });
}

/** Without the query, where secrets are common. */
export const loggedPath = (url: string): string =>
  printable(excerpt(maskSecrets(url.split('?', 1)[0] ?? ''), longestPath));
