/**
 * Agent forwarding, as `ssh -A` asks for it: one socket in the target for each connection and user, there while a session
 * that asked for it runs. Whoever connects to it gets a channel to the peer's agent.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Authorization } from '../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { aborted } from '../platform/aborted.ts';
import { idOf } from '../platform/ids.ts';
import type {
  AgentPlace,
  ContainerEngine,
  ContainerTarget,
  InboundConnection,
  RemoteListener,
} from '../targets/target.ts';
import { isSocket } from './forwarding.ts';
import { carryRecorded, type RecordDependencies, recordListener } from './recorded-forward.ts';
import { writeSentence } from './run-session.ts';
import type { SessionContext, SessionHandler, SessionIo } from './session.ts';

export interface LendAgentDependencies extends RecordDependencies {
  readonly engine: ContainerEngine;
}

/**
 * The same handler, which finds the peer's agent in `request.agentSocket` if the peer lends it. Where the key forbids that, the
 * session goes on without, as with sshd; where it cannot be had, so it does after a sentence.
 */
export type LendAgent = (
  authorization: Authorization<ContainerTarget>,
  handler: SessionHandler,
) => SessionHandler;

type OpenAgent = NonNullable<SessionIo['openAgent']>;

interface Loan {
  /** Sessions that use it now. */
  users: number;
  readonly listener: Promise<RemoteListener>;
  /** The next session makes another. */
  readonly forget: () => void;
}

/** A session waits no longer for its socket. */
const openedWithinMs = 10_000;
/** Of one socket; agents answer one request after another, and programs ask for little. */
const maxConnectionsAtOnce = 32;
const folderNameLength = 10;

export function createLendAgent(dependencies: LendAgentDependencies): LendAgent {
  const loans = new Map<string, Loan>();
  const secret = randomBytes(32);
  // The same for all sessions of a connection, also when none of them runs for a while.
  const folderName = (key: string) =>
    idOf(createHmac('sha256', secret).update(key).digest().subarray(0, folderNameLength));

  function lend(
    authorization: Authorization<ContainerTarget>,
    context: SessionContext,
    openAgent: OpenAgent,
  ): Loan {
    const key = JSON.stringify([context.connectionId, authorization.target.id, authorization.user]);
    const found = loans.get(key);
    if (found) {
      found.users++;
      return found;
    }
    const place = { agentFolder: folderName(key) };
    const listener = listen(dependencies, authorization, context, place, openAgent);
    const loan: Loan = { users: 1, listener, forget: () => loans.get(key) === loan && loans.delete(key) };
    loans.set(key, loan);
    listener.then((opened) => opened.onClose(loan.forget), loan.forget);
    return loan;
  }

  return (authorization, handler) => async (request, io, context) => {
    const { openAgent } = io;
    if (!openAgent || !mayLend(dependencies, authorization)) return handler(request, io, context);
    const loan = lend(authorization, context, openAgent);
    try {
      const agentSocket = await socketOf(loan, io.closed).catch((error) => {
        if (!isGatewayError(error)) throw error;
        return tell(io, error, request.pty !== undefined);
      });
      return await handler(agentSocket === undefined ? request : { ...request, agentSocket }, io, context);
    } finally {
      giveBack(loan);
    }
  };
}

/** As with sshd, the client is not told. */
function mayLend(
  { audit }: LendAgentDependencies,
  { allows, identity }: Authorization<ContainerTarget>,
): boolean {
  if (!allows.agentForwarding) audit.refused(identity, { what: 'agent', reason: 'agent-refused' });
  return allows.agentForwarding;
}

function giveBack(loan: Loan): void {
  loan.users--;
  if (loan.users > 0) return;
  loan.forget();
  loan.listener.then(
    (listener) => listener.close(),
    () => {},
  );
}

/** Undefined where the peer is gone. Throws what listening throws, and `agent-unavailable` when that takes too long. */
async function socketOf({ listener }: Loan, closed: AbortSignal): Promise<string | undefined> {
  const late = AbortSignal.timeout(openedWithinMs);
  const opened = await Promise.race([listener, aborted(AbortSignal.any([closed, late]))]);
  if (opened !== 'aborted') return isSocket(opened.place) ? opened.place.path : undefined;
  if (closed.aborted) return undefined;
  throw new GatewayError('agent-unavailable', { reason: 'its socket was not made in time.' });
}

async function tell(io: SessionIo, error: GatewayError, pty: boolean): Promise<undefined> {
  const isOurs = error.code === 'agent-unavailable';
  const failure = isOurs ? error : new GatewayError('agent-unavailable', { reason: error.message });
  await writeSentence(io, failure.message, pty);
}

async function listen(
  dependencies: LendAgentDependencies,
  authorization: Authorization<ContainerTarget>,
  { connectionId, identity }: SessionContext,
  place: AgentPlace,
  openAgent: OpenAgent,
): Promise<RemoteListener> {
  const connection = { id: connectionId };
  const facts = { connection, identity, target: authorization.target.name, authorization };
  const streams = new Set<Duplex>();
  const carry = async ({ stream }: InboundConnection) => {
    if (streams.size >= maxConnectionsAtOnce) return void stream.destroy();
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    const peer = await openAgent();
    if (!peer) return void stream.destroy();
    await carryRecorded(dependencies, { ...facts, what: 'connection to the agent' }, stream, peer);
  };
  const listener = await dependencies.engine.listen(authorization, place, (inbound) => {
    void carry(inbound).catch(() => inbound.stream.destroy());
  });
  listener.onClose(() => {
    for (const stream of streams) stream.destroy();
  });
  void recordListener(dependencies, { ...facts, what: 'agent' }, listener);
  return listener;
}
