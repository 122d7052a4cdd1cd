/** What is registered and audited while a forward is open: it is in the list of sessions, and revocation ends it. */
import type { Duplex } from 'node:stream';
import type { Audit, SessionKind } from '../audit/audit.ts';
import type { Authorization } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { RemoteListener } from '../targets/target.ts';
import { carryBytes } from './carry-bytes.ts';
import type { Connections } from './connections.ts';
import type { PeerConnection } from './peer.ts';
import type { PeerStream } from './session.ts';

export interface RecordDependencies {
  readonly connections: Connections;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** What is forwarded, for whom. */
export interface ForwardFacts {
  readonly connection: Pick<PeerConnection, 'id'>;
  readonly identity: Identity;
  /** `forward localhost:80`. */
  readonly what: string;
  /** The target's name. */
  readonly target: string;
  readonly authorization?: Authorization;
  /** As `LiveSession` has it. */
  readonly recheck?: () => Promise<void>;
}

/** The peer's side of a forward that was opened. */
export type ForwardPeer = PeerStream;

/** Runs `work` as a session; `ended` is aborted when the gateway ends it. */
export async function recordForward(
  { connections, audit, clock }: RecordDependencies,
  { connection, identity, what, kind = 'forward', target, ...standing }: ForwardFacts & Partial<SessionKind>,
  traffic: ForwardPeer['traffic'],
  work: (ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const sessionId = randomId();
  const startedAtMs = performance.now();
  const ending = new AbortController();
  const unregister = connections.addSession({
    id: sessionId,
    connectionId: connection.id,
    identity,
    target,
    what,
    openedAt: isoTime(clock),
    ...standing,
    traffic,
    end: () => ending.abort(),
  });
  audit.sessionStarted(identity, { sessionId, target, kind, what });
  try {
    await work(ending.signal);
  } finally {
    unregister();
    audit.sessionEnded(identity, {
      sessionId,
      target,
      kind,
      end: { forward: ending.signal.aborted ? 'ended by the gateway' : 'closed' },
      ...traffic(),
      durationMs: Math.round(performance.now() - startedAtMs),
    });
  }
}

/** Until the listener is closed, by whomever; closes it when the gateway ends it. */
export function recordListener(
  dependencies: RecordDependencies,
  facts: ForwardFacts,
  listener: Pick<RemoteListener, 'onClose' | 'close'>,
): Promise<void> {
  const none = () => ({ bytesIn: 0, bytesOut: 0 });
  const untilClosed = (ended: AbortSignal) =>
    new Promise<void>((resolve) => {
      listener.onClose(resolve);
      ended.addEventListener('abort', () => listener.close(), { once: true });
    });
  return recordForward(dependencies, { ...facts, kind: 'listener' }, none, untilClosed);
}

/** Carries bytes until both sides have ended, or one is gone; never rejects. */
export function carryRecorded(
  dependencies: RecordDependencies,
  facts: ForwardFacts,
  stream: Duplex,
  peer: ForwardPeer,
): Promise<void> {
  return recordForward(dependencies, facts, peer.traffic, async (ended) => {
    await carryBytes(peer.stream, stream, { peerClosed: peer.closed, ended });
    peer.close();
  });
}
