/** What is registered and audited while a forward is open: it is in the list of sessions, and revocation ends it. */
import type { Duplex } from 'node:stream';
import type { SessionKind } from '../audit/audit.ts';
import type { Authorization } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { randomId } from '../platform/ids.ts';
import type { ForwardLog, ForwardLogs } from '../recordings/forward-logs.ts';
import type { RemoteListener } from '../targets/target.ts';
import { carryBytes } from './carry-bytes.ts';
import { openInTime } from './open-in-time.ts';
import { type OpenSessionDependencies, openSession } from './open-session.ts';
import type { PeerConnection } from './peer.ts';
import { whoAndWhere } from './recorded-facts.ts';
import type { PeerStream } from './session.ts';
import { watchForSsh } from './watch-for-ssh.ts';

export interface RecordDependencies extends OpenSessionDependencies {
  readonly forwardLogs: ForwardLogs;
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
  /** What says whether it is recorded, where that is no `authorization` for revocation to ask about. */
  readonly reached?: Authorization;
  /** The peer connects into the target: no SSH may pass by a recording that is required. */
  readonly isInward?: boolean;
}

/** The peer's side of a forward that was opened. */
export type ForwardPeer = PeerStream;

/**
 * The log of what a connection forwards into a target; undefined where nothing is recorded, or it cannot be and need not.
 * Throws recording-impossible.
 */
export async function openForwardLog(
  { forwardLogs, audit }: Pick<RecordDependencies, 'forwardLogs' | 'audit'>,
  { connection, identity, authorization, reached = authorization }: Omit<ForwardFacts, 'what' | 'target'>,
): Promise<ForwardLog | undefined> {
  if (!reached?.recording) return undefined;
  const { target, recording: mode } = reached;
  const id = randomId();
  const facts = {
    ...whoAndWhere(reached, connection.id),
    id,
    kind: 'forwards',
    command: 'forwards',
  } as const;
  return openInTime(forwardLogs.open(facts, mode), mode, target.name, ({ reason }) => {
    const required = mode === 'required';
    audit.recordingFailed(identity, { recordingId: id, target: target.name, required, reason });
  });
}

/** Runs `work` as a session; `ended` is aborted when the gateway ends it. */
export async function recordForward(
  dependencies: RecordDependencies,
  facts: ForwardFacts & Partial<SessionKind>,
  traffic: ForwardPeer['traffic'],
  work: (ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const { connection, identity, what, kind = 'forward', target } = facts;
  const { authorization, recheck, reached = authorization } = facts;
  const ending = new AbortController();
  const end = () => ending.abort();
  const session = {
    id: randomId(),
    connectionId: connection.id,
    identity,
    target,
    what,
    ...(authorization ? { authorization } : {}),
    ...(recheck ? { recheck } : {}),
    traffic,
    end,
  };
  const { looked, close } = openSession(dependencies, session, { kind });
  let tellClosed: ReturnType<ForwardLog['opened']> = () => {};
  try {
    await looked;
    if (reached?.recording) {
      const log = await openForwardLog(dependencies, facts);
      if (reached.recording === 'required') log?.failed.addEventListener('abort', end, { once: true });
      tellClosed = log?.opened(what) ?? tellClosed;
    }
    await work(ending.signal);
  } finally {
    tellClosed(close({ forward: ending.signal.aborted ? 'ended by the gateway' : 'closed' }));
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
      if (ended.aborted) listener.close();
    });
  return recordForward(dependencies, { ...facts, kind: 'listener' }, none, untilClosed).catch(() =>
    listener.close(),
  );
}

/** Carries bytes until both sides have ended, or one is gone; never rejects. */
export async function carryRecorded(
  dependencies: RecordDependencies,
  facts: ForwardFacts,
  stream: Duplex,
  peer: ForwardPeer,
): Promise<void> {
  const carry = (ended: AbortSignal) =>
    carryBytes(peer.stream, stream, {
      peerClosed: peer.closed,
      ended: guarded(dependencies, facts, peer, ended),
    });
  try {
    await recordForward(dependencies, facts, peer.traffic, carry);
  } catch {
    // What was to be recorded and cannot be, which is audited; or nobody can say now whether it may be.
    stream.destroy();
  }
  peer.close();
}

/** `ended`, and aborted as well where SSH would pass by a recording that is required. */
function guarded(
  { audit }: RecordDependencies,
  { identity, what, isInward, authorization, reached = authorization }: ForwardFacts,
  peer: ForwardPeer,
  ended: AbortSignal,
): AbortSignal {
  if (!isInward || reached?.recording !== 'required') return ended;
  const tunnel = new AbortController();
  watchForSsh(peer.stream, () => {
    audit.refused(identity, { what, reason: 'recording-tunnel' });
    tunnel.abort();
  });
  return AbortSignal.any([ended, tunnel.signal]);
}
