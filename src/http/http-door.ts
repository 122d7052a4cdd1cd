/** Door 2: HTTP. Requests for a container's name go to the passage; all others are the gateway's own. */
import { maxHeaderSize } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { FindKeyFeed } from '../accounts/key-feed.ts';
import type { Api } from '../commands/api.ts';
import type { Config } from '../config/config.ts';
import { randomId } from '../platform/ids.ts';
import { version } from '../platform/version.ts';
import { answerClientError, answerErrors } from './answer-errors.ts';
import { boundReading } from './answers-under-way.ts';
import { addExecRoutes, type ExecRoutesDependencies } from './exec-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addKeyFeed, keyFeedPath } from './key-feed.ts';
import { logRequests, noteIdentity } from './request-log.ts';
import { type ServesSockets, serveSockets } from './serve-sockets.ts';
import { createHttpServer, type ServerOptions } from './server.ts';
import { watchTls } from './tls-files.ts';

export interface HttpDoor extends Pick<ServesSockets, 'serve'> {
  /** Closes connections that are idle as they become it; what runs goes on. */
  drain(): void;
  /** What runs has `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

export interface HttpDoorOptions extends ServerOptions {
  readonly config: ServerOptions['config'] & Pick<Config, 'keyFeed'>;
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

/** Throws when its TLS files cannot be used. */
export async function createHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { tls, log, passage, proxies, exec, engineAnswers, isDraining, config } = options;
  const app = createApp(options);
  await app.register(swagger, { openapi: openApi });
  app.get('/openapi.json', { schema: { hide: true } }, async () => described(app, config));
  addHealthRoutes(app, { version, engineAnswers, isDraining });
  if (exec) await addExecRoutes(app, exec);
  if (options.keyFeed) addKeyFeed(app, options.keyFeed, config);
  if (exec) await options.addRoutes?.(app, { api: exec.api, log, noteIdentity });
  await app.ready();
  const sockets = serveSockets(app.server);
  const unwatch = tls ? watchTls(app.server as TlsServer, tls, log) : () => {};
  const leave = () => {
    proxies?.close();
    // From now on fastify itself answers 503 on connections that are there.
    return app.close();
  };
  return {
    serve: sockets.serve,
    drain() {
      void leave();
      sockets.letGo();
    },
    async close(graceMs) {
      unwatch();
      passage?.close();
      await Promise.all([leave(), sockets.close(graceMs)]);
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
    serverFactory: (routes) => createHttpServer(routes, options),
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
