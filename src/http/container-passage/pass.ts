/** One request of a known asker: admitted, listed as a session while it is open, relayed, written into the audit. */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { Audit } from '../../audit/audit.ts';
import type { Identity } from '../../auth/identity.ts';
import type { TokenAuthenticator } from '../../auth/token-authenticator.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { type Clock, isoTime } from '../../platform/clock.ts';
import type { GiveBack, Slots } from '../../platform/slots.ts';
import type { Connections, LiveConnection } from '../../sessions/connections.ts';
import { openSession } from '../../sessions/open-session.ts';
import type { ReachableWeb, ReachWeb } from '../../sessions/reach-web.ts';
import { sessionSlot, toGatewayError } from '../../sessions/run-session.ts';
import type { CountedDuplex } from '../../targets/target.ts';
import { loggedPath } from '../request-log.ts';
import { answerFailure } from './answer-failure.ts';
import type { Exchange } from './exchange.ts';
import type { RequestHead } from './read-head.ts';
import { relay } from './relay.ts';
import { requestHeaders } from './request-headers.ts';

export interface PassDependencies {
  readonly tokens: TokenAuthenticator;
  readonly reachWeb: ReachWeb;
  readonly connections: Connections;
  readonly slots: Slots;
  /** Registers until what the identity stands on expires. */
  readonly addConnection: (connection: LiveConnection) => () => void;
  readonly audit: Audit;
  readonly log: Logger;
  readonly clock: Clock;
  /** The gateway's own name. */
  readonly domain: string;
  readonly maxSessionsPerAccount: number;
}

export interface OpenRequest {
  readonly id: string;
  readonly exchange: Exchange;
  /** Aborted with `hangUp`, or with the GatewayError that the client is told. */
  readonly ending: AbortController;
}

interface IdentifiedRequest extends OpenRequest {
  readonly head: RequestHead;
  readonly identity: Identity;
}

/** The client is gone. */
export const hangUp = Symbol('hang-up');

/** Returns a function that throws a GatewayError when the request is not admitted. */
export function createPass(dependencies: PassDependencies) {
  const { reachWeb, slots, addConnection, audit, clock } = dependencies;

  return async (open: IdentifiedRequest): Promise<void> => {
    const { id, head, identity, ending } = open;
    const limit = dependencies.maxSessionsPerAccount;
    let giveBack: GiveBack | undefined;
    // Before anything is waited for: a key that is removed meanwhile ends this too.
    const removeConnection = addConnection({
      id,
      identity,
      openedAt: isoTime(clock),
      close: (reason) => ending.abort(new GatewayError('session-ended', { reason })),
    });
    try {
      giveBack = await slots.take(sessionSlot(identity), limit);
      if (!giveBack) throw new GatewayError('too-many-sessions', { limit });
      const web = await reachWeb(identity, head.container);
      ending.signal.throwIfAborted();
      await recorded(dependencies, open, web);
    } catch (error) {
      const what = `${describe(head)} of ${head.container}`;
      if (isGatewayError(error)) audit.refused(identity, { what, reason: error.code });
      throw error;
    } finally {
      removeConnection();
      giveBack?.();
    }
  };
}

/** Never rejects. */
async function recorded(
  dependencies: PassDependencies,
  open: IdentifiedRequest,
  web: ReachableWeb,
): Promise<void> {
  const { id, exchange, head, identity, ending } = open;
  const { authorization } = web;
  let socket: CountedDuplex | undefined;
  const session = {
    id,
    connectionId: id,
    identity,
    target: authorization.target.name,
    what: describe(head),
    authorization,
    traffic: () => ({ bytesIn: socket?.bytesWritten ?? 0, bytesOut: socket?.bytesRead ?? 0 }),
    end: (reason: string) => ending.abort(new GatewayError('session-ended', { reason })),
  };
  const { looked, close } = openSession(dependencies, session, { kind: 'web' });
  try {
    await looked;
    ending.signal.throwIfAborted();
    ({ socket } = await web.dial(ending.signal));
    await relayUntil(ending.signal, open, web, socket);
  } catch (error) {
    fail(dependencies, open, error);
  } finally {
    const { headersSent, statusCode } = exchange.response;
    close({ httpStatus: headersSent ? statusCode : undefined });
  }
}

async function relayUntil(
  signal: AbortSignal,
  { exchange, head, identity }: IdentifiedRequest,
  { principal, authorization }: ReachableWeb,
  socket: Duplex,
): Promise<void> {
  const cut = () => socket.destroy();
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  const from = exchange.request.socket as TLSSocket;
  const headers = requestHeaders(
    head,
    {
      account: principal.account,
      ctx: identity.token?.ctx,
      address: identity.source.address.replace(/^::ffff:(?=\d+\.)/, ''),
      isTls: from.encrypted === true,
    },
    exchange.upgrade ? 'Upgrade' : 'close',
  );
  await relay(exchange, { head, headers, socket, container: authorization.target.name });
}

/** Answers with the failure, unless there is nobody to answer or an answer has begun. */
export function fail(
  { log, domain }: Pick<PassDependencies, 'log' | 'domain'>,
  { id, exchange: { request, response }, ending: { signal } }: OpenRequest,
  error: unknown,
): void {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason === hangUp) return void request.socket.destroy();
  const failure = toGatewayError(reason, log, { connectionId: id });
  if (response.headersSent) request.socket.destroy();
  else answerFailure(response, failure, domain);
}

/** For lists and the audit. */
const describe = ({ method, target }: RequestHead) => `${method} ${loggedPath(target)}`;
