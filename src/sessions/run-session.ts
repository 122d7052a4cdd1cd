/**
 * What happens round every session, whatever it is: it is counted, registered, audited, can be ended from
 * outside, and every failure becomes one sentence on stderr and a status.
 */
import type { Logger } from 'pino';
import type { Authorization } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { randomId } from '../platform/ids.ts';
import { printable } from '../platform/printable.ts';
import type { GiveBack, Slots } from '../platform/slots.ts';
import { describeStart } from './describe-start.ts';
import { type OpenSessionDependencies, openSession } from './open-session.ts';
import type { PeerConnection } from './peer.ts';
import type { SessionContext, SessionEnd, SessionHandler, SessionIo, SessionRequest } from './session.ts';

/** A session that is ready to run: what it is called, what it stands on, and its handler. */
export interface RoutedSession {
  /** `lobby` or the target's name. */
  readonly target: string;
  readonly authorization?: Authorization;
  readonly handler: SessionHandler;
}

export interface RunnerDependencies extends OpenSessionDependencies {
  readonly slots: Slots;
  readonly log: Logger;
  readonly maxSessionsPerAccount: number;
}

export interface SessionToRun {
  readonly context: SessionContext;
  readonly request: SessionRequest;
  readonly io: SessionIo;
  readonly traffic: () => { bytesIn: number; bytesOut: number };
  /** Runs within another one, on the same terminal. */
  readonly isInner?: boolean;
  /** Decides where it goes; throws a GatewayError when nowhere. */
  readonly route: () => Promise<RoutedSession>;
}

/** Counted for each account: sessions by SSH and requests to web servers alike. */
export const sessionSlot = ({ accountId }: Identity) => `${slotPrefix}${accountId}`;
const slotPrefix = 'session ';
export const isSessionSlot = (name: string): boolean => name.startsWith(slotPrefix);

/** Somebody has asked for a channel, which mostly a session follows. */
export function expectSession(
  { slots, maxSessionsPerAccount }: Pick<RunnerDependencies, 'slots' | 'maxSessionsPerAccount'>,
  { peer }: Pick<PeerConnection, 'peer'>,
): void {
  if (peer.kind === 'account') slots.expect?.(sessionSlot(peer.identity), maxSessionsPerAccount);
}

/** Runs a session of an account to its end. Never rejects. */
export async function runAccountSession(
  dependencies: RunnerDependencies,
  session: SessionToRun,
): Promise<SessionEnd> {
  const { context, request, io } = session;
  const { identity } = context;
  const ending = endable(io, request.pty !== undefined);
  const limit = dependencies.maxSessionsPerAccount;
  let giveBack: GiveBack | undefined;
  try {
    // Beside each other: the one waits for another process, the other works in this one.
    const taking = dependencies.slots.take(sessionSlot(identity), limit);
    const routing = session.route();
    routing.catch(() => {});
    giveBack = await taking;
    if (!giveBack) throw new GatewayError('too-many-sessions', { limit });
    return await recorded(dependencies, session, await routing, ending);
  } catch (error) {
    if (ending.ended()) return { exitStatus: 255 };
    const failure = toGatewayError(error, dependencies.log, context);
    dependencies.audit.refused(identity, { what: describeStart(request.start), reason: failure.code });
    await tellFailure(io, failure, request.pty !== undefined);
    return { exitStatus: failure.exitStatus };
  } finally {
    giveBack?.();
  }
}

/** Registered in the list of sessions and written into the audit while it runs. */
async function recorded(
  dependencies: RunnerDependencies,
  { context, request, io, traffic, isInner = false }: SessionToRun,
  { target, authorization, handler }: RoutedSession,
  ending: Endable,
): Promise<SessionEnd> {
  const { identity, sessionId, connectionId } = context;
  const kind = { kind: authorization?.target.kind ?? 'lobby', start: request.start.kind } as const;
  const live = {
    id: sessionId,
    connectionId,
    identity,
    target,
    what: describeStart(request.start),
    ...(authorization ? { authorization } : {}),
    traffic,
    ...(request.pty && !isInner ? { notify: (sentence: string) => notify(io, sentence) } : {}),
    end: ending.end,
  };
  const { looked, close } = openSession(dependencies, live, kind);
  let end: SessionEnd = { exitStatus: 255 };
  try {
    await looked;
    if (!ending.ended()) end = await handler(request, ending.io, context);
    if (ending.ended()) end = { exitStatus: 255 };
    return end;
  } finally {
    close(end);
  }
}

interface Endable {
  readonly io: SessionIo;
  readonly end: (reason: string) => void;
  readonly ended: () => boolean;
}

/** The same io, but `closed` also fires when the gateway ends the session, after telling the person why. */
function endable(io: SessionIo, pty: boolean): Endable {
  const own = new AbortController();
  let ended = false;
  return {
    io: { ...io, closed: AbortSignal.any([io.closed, own.signal]) },
    ended: () => ended,
    end: (reason) => {
      if (ended) return;
      ended = true;
      if (io.tell) io.tell({ sentence: reason });
      else void writeSentence(io, reason, pty);
      own.abort();
    },
  };
}

async function tellFailure(io: SessionIo, failure: GatewayError, pty: boolean): Promise<void> {
  if (io.tell) io.tell({ sentence: failure.message, failure });
  else await writeSentence(io, failure.message, pty);
}

/** An expected failure as it is; anything else is our bug: logged under a number, which the person is told. */
export function toGatewayError(error: unknown, log: Logger, context: { connectionId: string }): GatewayError {
  if (isGatewayError(error)) {
    if (error.cause !== undefined)
      log.debug({ connectionId: context.connectionId, err: error.cause }, error.code);
    return error;
  }
  const id = randomId(8);
  log.error({ errorId: id, connectionId: context.connectionId, err: error }, 'internal error');
  return new GatewayError('internal', { id });
}

/** On a line of its own, whatever the terminal shows. */
const notify = (io: SessionIo, sentence: string) => {
  if (io.stderr.writable) io.stderr.write(`\r\npostern: ${printable(sentence)}\r\n`);
};

/** `postern: SENTENCE` on stderr; a pty needs the carriage return that no terminal driver adds here. */
export async function writeSentence(io: SessionIo, sentence: string, pty: boolean): Promise<void> {
  const line = `postern: ${printable(sentence)}${pty ? '\r\n' : '\n'}`;
  await new Promise<void>((resolve) => {
    if (io.stderr.writableEnded) resolve();
    else io.stderr.write(line, () => resolve());
  });
}
