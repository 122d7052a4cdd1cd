/** The server under the routes: TLS or not, its bounds, and who takes a request first. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/config.ts';
import { type Meter, stopwatch } from '../metrics/meter.ts';
import { inNameOf, ownEvents } from '../platform/fault-owner.ts';
import { makeLast, noteAnswer } from './answers-under-way.ts';
import type { ProxiesInFront } from './proxies-in-front.ts';
import { readTls, type TlsFiles } from './tls-files.ts';

/** Stands before the routes, for the names of containers. */
export interface Passage {
  /** Whether the request is its own, by its Host. */
  isFor(request: IncomingMessage): boolean;
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends what is open. */
  close(): void;
}

export interface ServerOptions {
  /** Unset: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** `execTimeoutMs`: how long the body of a request to the gateway itself may take to arrive, and its answer may lie unread. */
  readonly config: Pick<Config, 'execTimeoutMs'>;
  readonly passage?: Passage | undefined;
  /** Unset: who connects is taken for who asks. */
  readonly proxies?: ProxiesInFront | undefined;
  readonly meter: Meter;
  /** The next answer on a connection is its last; unset: never. */
  readonly answersLast?: () => boolean;
}

const limits = {
  headersTimeout: 10_000,
  keepAliveTimeout: 60_000,
  // Bodies have their own deadline where they are read; what goes into a container may take as long as it takes.
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
} as const;
const handshakeTimeoutMs = 10_000;

/** Throws invalid-config when the TLS files cannot be used. */
export function createHttpServer(
  routes: RequestListener,
  { tls, config, passage, proxies, meter, answersLast }: ServerOptions,
): Server {
  const onRequest: RequestListener = (request, response) => {
    if (!noteAnswer(response)) return;
    // Whoever asks on and on would never be idle.
    if (answersLast?.() && !makeLast(response)) return;
    proxies?.note(request);
    if (passage?.isFor(request)) {
      measure(request, response, meter);
      passage.handleRequest(request, response);
    } else {
      boundBody(request, config.execTimeoutMs);
      routes(request, response);
    }
  };
  const options = {
    ...limits,
    // Whoever asks for an upgrade that is not to be had gets an answer to the request itself (RFC 9110 §7.8).
    shouldUpgradeCallback: (request: IncomingMessage) =>
      passage !== undefined &&
      request.headers.upgrade?.toLowerCase() === 'websocket' &&
      passage.isFor(request),
  };
  const server = tls
    ? createTlsServer({ ...options, ...readTls(tls), handshakeTimeout: handshakeTimeoutMs }, onRequest)
    : createServer(options, onRequest);
  ownConnections(server);
  // Else Node asks for the body at once, though a container may not want it.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!passage?.isFor(request)) response.writeContinue();
    onRequest(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    proxies?.note(request);
    passage?.handleUpgrade(request, socket, head);
  });
  proxies?.stand(server, tls !== undefined);
  return server;
}

/** Node's parser, and with it every request, runs in the name of the connection that it was made for. */
function ownConnections(server: Server): void {
  const emit = server.emit;
  server.emit = (event: string, ...args: unknown[]) => {
    const next = () => Reflect.apply(emit, server, [event, ...args]);
    if (event !== 'connection' && event !== 'secureConnection') return next();
    const socket = args[0] as Socket;
    const owner = { end: () => socket.destroy() };
    // After an upgrade there is no parser any more.
    ownEvents(socket, owner);
    inNameOf(owner, next);
    return true;
  };
}

function measure(request: IncomingMessage, response: ServerResponse, meter: Meter): void {
  const seconds = stopwatch();
  response.once('close', () =>
    meter.httpAnswered({
      route: 'container',
      // Node's parser takes no other than those that it knows.
      method: request.method ?? '',
      status: response.statusCode,
      seconds: seconds(),
    }),
  );
}

/** A body that drips, or never comes, must not hold a connection; answered or not, it is cut off. */
function boundBody(request: IncomingMessage, timeoutMs: number): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, timeoutMs);
  // Where the answer was out before, Node says nothing of the end: it must not keep the process.
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}
