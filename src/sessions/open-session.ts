/** What every session is while it runs, whoever carries it: in the list of sessions, and between two events of the audit. */
import type { Audit, SessionKind } from '../audit/audit.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { Connections, ListedSession, LiveSession } from './connections.ts';

export interface OpenSessionDependencies {
  readonly connections: Connections;
  readonly audit: Audit;
  readonly clock: Clock;
}

type Carried = ReturnType<LiveSession['traffic']> & { readonly durationMs: number };

export interface OpenedSession extends Pick<ListedSession, 'looked'> {
  /** Takes it off the list, says how it ended, and returns what it came to. */
  close(end: Parameters<Audit['sessionEnded']>[1]['end']): Carried;
}

/** Registers it and says that it begins. */
export function openSession(
  { connections, audit, clock }: OpenSessionDependencies,
  session: Omit<LiveSession, 'openedAt'>,
  kind: SessionKind,
): OpenedSession {
  const { id: sessionId, identity, target, what, traffic } = session;
  const startedAtMs = performance.now();
  const { looked, remove } = connections.addSession({ ...session, openedAt: isoTime(clock) });
  audit.sessionStarted(identity, { sessionId, target, ...kind, what });
  return {
    looked,
    close(end) {
      remove();
      const carried = { ...traffic(), durationMs: Math.round(performance.now() - startedAtMs) };
      audit.sessionEnded(identity, { sessionId, target, ...kind, end, ...carried });
      return carried;
    },
  };
}
