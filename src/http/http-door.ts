/** Door 2: the HTTP listener. Requests for a container's name go to the passage; all others are the gateway's own. */
import { maxHeaderSize } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyListenOptions } from 'fastify';
import type { Logger } from 'pino';
import type { FindKeyFeed } from '../accounts/key-feed.ts';
import type { Api } from '../commands/api.ts';
import { randomId } from '../platform/ids.ts';
import { version } from '../platform/version.ts';
import type { Address } from '../sessions/session.ts';
import { answerClientError, answerErrors } from './answer-errors.ts';
import { boundReading } from './answers-under-way.ts';
import { addExecRoutes, type ExecRoutesDependencies } from './exec-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addKeyFeed, keyFeedPath } from './key-feed.ts';
import { createListener, type ListenerOptions } from './listener.ts';
import { logRequests, noteIdentity } from './request-log.ts';
import { watchTls } from './tls-files.ts';

export interface HttpDoor {
  readonly address: Address;
  /** Takes no more connections, and closes those that are idle as they become it; what runs goes on. */
  drain(): void;
  /** Takes no more; what runs has `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

export interface HttpDoorOptions extends ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** File descriptor of a socket that listens already, in their place. */
  readonly inheritedSocket?: number | undefined;
  readonly log: Logger;
  readonly engineAnswers: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  /** Unset: a listener for health alone. */
  readonly exec?: ExecRoutesDependencies;
  /** Answers while config's `keyFeed` says so. */
  readonly keyFeed?: FindKeyFeed | undefined;
  /** Adds what other doors answer on this listener. */
  readonly addRoutes?: AddRoutes | undefined;
}

export type AddRoutes = (
  app: FastifyInstance,
  services: { readonly api: Api; readonly log: Logger; readonly noteIdentity: typeof noteIdentity },
) => Promise<void>;

const closeIdleEveryMs = 100;

/** Throws when it cannot listen, or its TLS files cannot be used. */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { host, port, tls, log, passage, proxies, exec, engineAnswers, isDraining, config } = options;
  const app = createApp(options);
  await app.register(swagger, { openapi: openApi });
  app.get('/openapi.json', { schema: { hide: true } }, async () => described(app, config));
  addHealthRoutes(app, { version, engineAnswers, isDraining });
  if (exec) await addExecRoutes(app, exec);
  if (options.keyFeed) addKeyFeed(app, options.keyFeed, config);
  if (exec) await options.addRoutes?.(app, { api: exec.api, log, noteIdentity });
  const { inheritedSocket: fd } = options;
  await app.listen(fd === undefined ? { host, port } : ({ fd } as FastifyListenOptions));
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the HTTP door has no port');
  const unwatch = tls ? watchTls(app.server as TlsServer, tls, log) : () => {};
  let idling: NodeJS.Timeout | undefined;
  return {
    address: { address: bound.address, port: bound.port },
    drain() {
      proxies?.close();
      // From now on fastify itself answers 503 on connections that are there.
      void app.close();
      idling = setInterval(() => app.server.closeIdleConnections(), closeIdleEveryMs);
    },
    async close(graceMs) {
      clearInterval(idling);
      unwatch();
      proxies?.close();
      passage?.close();
      const cutOff = setTimeout(() => app.server.closeAllConnections(), graceMs);
      await app.close();
      clearTimeout(cutOff);
    },
  };
}

function createApp(options: HttpDoorOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: () => randomId(),
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    clientErrorHandler: answerClientError,
    // A parameter may be as long as Node lets a head be: else fastify itself answers, with the path, unlogged.
    routerOptions: { ignoreDuplicateSlashes: true, maxParamLength: maxHeaderSize },
    // Dialects name each field that is wrong, and none is bent into what it was not.
    ajv: { customOptions: { allErrors: true, coerceTypes: false, removeAdditional: false } },
    serverFactory: (routes) => createListener(routes, options),
  });
  logRequests(app, options.log, options.meter);
  answerErrors(app, options.log);
  // Not for streams, which are hijacked: who pages through one reads when they like.
  app.addHook('onSend', async (_request, reply) => boundReading(reply.raw, options.config.execTimeoutMs));
  return app;
}

/** The routes that answer now. */
function described(app: FastifyInstance, { keyFeed }: HttpDoorOptions['config']) {
  const document = app.swagger();
  if (keyFeed === 'public') return document;
  const paths = Object.entries(document.paths ?? {}).filter(([path]) => path !== keyFeedPath);
  return { ...document, paths: Object.fromEntries(paths) };
}

const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Postern',
    version,
    description: 'The commands of the lobby over HTTPS, with tokens that SSH keys sign.',
    license: { name: 'MIT' },
  },
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'an exe0 or exe1 token' },
      password: { type: 'http', scheme: 'basic', description: 'no user; the token is the password' },
    },
  },
} as const;
