/** The audit's events as metrics. Of what they say only words of ours become labels, never names or text. */
import type { AuditSink } from '../audit/audit.ts';
import type { MetricSet } from './metrics-of.ts';

/** Anything else is `other`: reasons of tokens, for one, quote what is wrong with them. */
const loginReasons: ReadonlySet<string> = new Set([
  'unknown',
  'expired',
  'disabled',
  'source',
  'invite',
  'signature',
  'certificate',
  'user presence',
  'user verification',
  'wrong code',
  'codes locked',
  'account gone',
  'no code',
  'no login in time',
  'too many authentication failures',
]);

const snakeCase = (words: string) => words.replaceAll(/[ -]/g, '_');

/** `onTraffic`: bytes of a session that has ended. */
export function auditMetrics(
  metrics: MetricSet,
  onTraffic: (bytesIn: number, bytesOut: number) => void,
): AuditSink {
  const listeners: Readonly<Record<string, (fields: Readonly<Record<string, unknown>>) => void>> = {
    'login-accepted': ({ certificate, secondFactor }) => {
      const key = certificate === undefined ? 'publickey' : 'certificate';
      const method = secondFactor === 'proven' ? `${key}+code` : key;
      metrics.logins.inc({ result: 'accepted', method, reason: 'none' });
    },
    'login-refused': ({ reason }) => metrics.logins.inc({ result: 'refused', ...refusedBy(String(reason)) }),
    'account-joined': () => metrics.joins.inc(),
    refused: ({ reason }) => metrics.refusals.inc({ reason: snakeCase(String(reason)) }),
    'session-started': ({ kind, start }) => {
      metrics.sessionsOpen.inc({ kind: String(kind) });
      metrics.sessionsStarted.inc({ kind: String(kind), start: String(start ?? 'none') });
    },
    'session-ended': ({ kind, start, end, bytesIn, bytesOut, durationMs }) => {
      const of = { kind: String(kind), start: String(start ?? 'none') };
      metrics.sessionsOpen.dec({ kind: of.kind });
      metrics.sessionsEnded.inc({ ...of, end: endOf(end as object) });
      // A clock that was set back meanwhile.
      metrics.sessionDuration.observe(of, Math.max(0, Number(durationMs) / 1000));
      onTraffic(Number(bytesIn), Number(bytesOut));
    },
  };
  return (event, fields) => listeners[event]?.(fields);
}

function refusedBy(reason: string): { method: string; reason: string } {
  if (reason.startsWith('token: ')) return { method: 'token', reason: 'token' };
  return { method: 'ssh', reason: loginReasons.has(reason) ? snakeCase(reason) : 'other' };
}

/** Signals are named by whoever sent one: they are one end. */
function endOf(end: {
  exitStatus?: number;
  exitSignal?: string;
  httpStatus?: number;
  forward?: string;
}): string {
  if (end.exitStatus !== undefined) return end.exitStatus === 0 ? 'success' : 'failure';
  if (end.exitSignal !== undefined) return 'signal';
  if (end.forward !== undefined) return end.forward === 'closed' ? 'closed' : 'ended_by_gateway';
  return end.httpStatus === undefined ? 'no_answer' : `${Math.floor(end.httpStatus / 100)}xx`;
}
