/** One function per event; what listens (log and file) never throws back. */
import type { Logger } from 'pino';
import type { CertificateFacts, Identity } from '../auth/identity.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';
import type { SessionEnd, SessionStart } from '../sessions/session.ts';
import type { AuditFields } from './chain.ts';

/** A forward has no status: it was closed by either side, or ended by the gateway. */
export interface ForwardEnd {
  readonly forward: 'closed' | 'ended by the gateway';
}

/** Where a session ends; `listener`: a forward's from there to here, which waits for connections. */
export interface SessionKind {
  readonly kind: 'lobby' | 'container' | 'host' | 'forward' | 'listener' | 'web';
  /** Unset for what no session channel carries. */
  readonly start?: SessionStart['kind'];
}

export interface Audit {
  loginAccepted(identity: Identity, connectionId: string): void;
  loginRefused(facts: { connectionId: string; source: string; fingerprint?: string; reason: string }): void;
  /** Before a byte was read, by a limit or a penalty. */
  connectionRefused(facts: { source: string; reason: string }): void;
  /** A penalty is enforced from now on; `source` may be a block. */
  sourcePenalised(facts: { source: string; reason: string; seconds: number }): void;
  /** `source` where nobody logged in. */
  connectionClosed(facts: {
    connectionId: string;
    reason: string;
    durationMs: number;
    source?: string;
  }): void;
  sessionStarted(
    identity: Identity,
    facts: SessionKind & { sessionId: string; target: string; what: string },
  ): void;
  sessionEnded(
    identity: Identity,
    facts: SessionKind & {
      sessionId: string;
      target: string;
      /** `httpStatus` is undefined where there was no answer. */
      end: SessionEnd | { readonly httpStatus: number | undefined } | ForwardEnd;
      bytesIn: number;
      bytesOut: number;
      durationMs: number;
    },
  ): void;
  /** A command that changed something, or was refused; its line is masked. */
  commandRun(identity: Identity, facts: { line: string; outcome: string }): void;
  /** Other host keys of a registered host are pinned; fingerprints. */
  hostKeysTrusted(
    identity: Identity,
    facts: { host: string; before: readonly string[]; after: readonly string[] },
  ): void;
  /** A session, or what a connection forwards, is being recorded. */
  recordingStarted(
    identity: Identity,
    facts: { recordingId: string; target: string; required: boolean },
  ): void;
  /** No recording, or no more of it: where it is not required, the session goes on. */
  recordingFailed(
    identity: Identity,
    facts: { recordingId: string; target: string; required: boolean; reason: string },
  ): void;
  /** Somebody looked at a recording, or took it out or away. */
  recordingUsed(
    identity: Identity,
    facts: { recordingId: string; target: string; of: string; how: 'played' | 'exported' | 'removed' },
  ): void;
  refused(identity: Identity, facts: { what: string; reason: string }): void;
  /** What the operator did through the control socket. */
  operatorActed(facts: { what: string; outcome: string }): void;
  /** A process that served connections, and they with it. */
  workerDied(facts: {
    worker: string;
    pid: number;
    signal: string | null;
    status: number | null;
    connections: number;
  }): void;
  accountJoined(facts: { account: string; fingerprint: string; source: string }): void;
}

type Fields = AuditFields;

const who = (identity: Identity): Fields => ({
  account: identity.accountName,
  accountId: identity.accountId,
  fingerprint: identity.fingerprint,
  source: identity.source.address,
  ...(identity.certificate ? { certificate: certified(identity.certificate) } : {}),
  // Else a token's doings could not be told from a login's with the same key.
  ...(identity.token ? { byToken: true } : {}),
});

const certified = ({ caName, serial, keyId, expiresAt }: CertificateFacts): Fields => ({
  ca: caName,
  serial,
  keyId: printable(excerpt(keyId, 256)),
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

/** What the audit's lines may be about. */
export const auditEvents = [
  'account-joined',
  'command-run',
  'connection-closed',
  'connection-refused',
  'host-keys-trusted',
  'login-accepted',
  'login-refused',
  'operator-acted',
  'recording-failed',
  'recording-started',
  'recording-used',
  'refused',
  'session-ended',
  'session-started',
  'source-penalised',
  'worker-died',
] as const;

/** Where events go; it neither throws nor waits. */
export type AuditSink = (event: string, fields: Fields) => void;

/** One structured log line for each, under `audit`. */
export const logSink =
  (log: Logger): AuditSink =>
  (event, fields) =>
    log.info({ audit: event, ...fields });

/** An Audit that tells each event to every sink. */
export function createAudit(...sinks: readonly AuditSink[]): Audit {
  const write = (event: (typeof auditEvents)[number], fields: Fields) => {
    for (const sink of sinks) sink(event, fields);
  };
  return {
    loginAccepted: (identity, connectionId) => {
      const { secondFactor } = identity;
      write('login-accepted', { ...who(identity), connectionId, ...(secondFactor ? { secondFactor } : {}) });
    },
    loginRefused: (facts) => write('login-refused', facts),
    connectionRefused: (facts) => write('connection-refused', facts),
    sourcePenalised: (facts) => write('source-penalised', facts),
    connectionClosed: (facts) => write('connection-closed', facts),
    sessionStarted: (identity, facts) => write('session-started', { ...who(identity), ...facts }),
    // Field by field: what else an object at hand may hold, such as buffers, is nobody's to log.
    sessionEnded: (identity, { sessionId, target, kind, start, end, bytesIn, bytesOut, durationMs }) => {
      const of = { sessionId, target, kind, ...(start ? { start } : {}) };
      write('session-ended', { ...who(identity), ...of, end, bytesIn, bytesOut, durationMs });
    },
    commandRun: (identity, facts) => write('command-run', { ...who(identity), ...facts }),
    hostKeysTrusted: (identity, facts) => write('host-keys-trusted', { ...who(identity), ...facts }),
    recordingStarted: (identity, facts) => write('recording-started', { ...who(identity), ...facts }),
    recordingFailed: (identity, facts) => write('recording-failed', { ...who(identity), ...facts }),
    recordingUsed: (identity, facts) => write('recording-used', { ...who(identity), ...facts }),
    refused: (identity, facts) => write('refused', { ...who(identity), ...facts }),
    operatorActed: (facts) => write('operator-acted', facts),
    workerDied: (facts) => write('worker-died', facts),
    accountJoined: (facts) => write('account-joined', facts),
  };
}
