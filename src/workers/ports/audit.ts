/** The audit of the whole gateway: workers tell their supervisor, which writes, and ends in it what died with a worker. */
import type { AuditSink } from '../../audit/audit.ts';
import type { AuditFields, ChainEnd } from '../../audit/chain.ts';
import type { AuditLog } from '../../audit/open-audit-log.ts';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Peer } from '../../ipc/peer.ts';
import { asList, asText, createHoldings, type ServedPort } from './served-port.ts';

const method = {
  write: 'audit.write',
  open: 'audit.open',
  flush: 'audit.flush',
  head: 'audit.head',
} as const;
/** Of the supervisor to a worker: a reason, or null. */
const problemMethod = 'audit.problem';

export interface AuditOverIpc {
  readonly tell: AuditSink;
  readonly auditLog: Pick<AuditLog, 'problem' | 'flush' | 'head'>;
  /** For a process that is about to end: resolves when a supervisor has all that was told, or there is none for too long. */
  readonly handIn: () => Promise<void>;
}

const handInWithinMs = 5_000;

/** To be called in the turn of `openSteadyPeer`. */
export function auditOverIpc(supervisor: SteadyPeer): AuditOverIpc {
  const open = createOpenSessions();
  let problem: string | undefined;
  /** Events that were thrown away, because there was no supervisor for too long. */
  let lost = 0;
  supervisor.onConnect((peer) => peer.notify(method.open, open.list()));
  supervisor.serve(
    new Map([
      [
        problemMethod,
        (reason: unknown) => {
          problem = reason === null ? undefined : asText(reason);
        },
      ],
    ]),
  );
  const send = (event: string, fields: AuditFields) => supervisor.notify(method.write, [event, fields]);
  const again = { repeatable: true } as const;
  return {
    tell(event, fields) {
      open.note(event, fields);
      if (lost > 0 && send('events-lost', { count: lost })) lost = 0;
      if (!send(event, fields)) lost++;
    },
    auditLog: {
      problem: () => (lost > 0 ? 'its events wait for a supervisor' : problem),
      flush: async () => void (await supervisor.request(method.flush, undefined, again)),
      head: () => supervisor.request<ChainEnd>(method.head, undefined, again),
    },
    handIn: () =>
      supervisor.request(method.flush, undefined, { ...again, deadlineMs: handInWithinMs }).then(
        () => {},
        () => {},
      ),
  };
}

export interface AuditServer extends ServedPort {
  /** Tells a worker of problems, from now on. */
  watch(peer: Peer): void;
}

export function serveAudit(
  tell: AuditSink,
  auditLog: Pick<AuditLog, 'problem' | 'onProblem' | 'flush' | 'head'>,
): AuditServer {
  const holdings = createHoldings(createOpenSessions);
  return {
    handlersFor(worker) {
      const open = holdings.of(worker);
      return [
        [
          method.write,
          (params) => {
            const [event, fields] = asList(params);
            open.note(asText(event), fields as AuditFields);
            tell(asText(event), fields as AuditFields);
          },
        ],
        [
          method.open,
          (sessions) => {
            for (const fields of asList(sessions)) open.note('session-started', fields as AuditFields);
          },
        ],
        [method.flush, () => auditLog.flush()],
        [method.head, () => auditLog.head()],
      ];
    },
    gone(worker) {
      for (const { what: _, ...fields } of holdings.take(worker)?.list() ?? []) {
        tell('session-ended', { ...fields, end: { lost: 'its worker died' } });
      }
    },
    watch(peer) {
      const push = () => peer.notify(problemMethod, auditLog.problem() ?? null);
      peer.onClose(auditLog.onProblem(push));
      push();
    },
  };
}

/** What has begun by the audit, and has not ended. */
function createOpenSessions() {
  const open = new Map<unknown, AuditFields>();
  return {
    note(event: string, fields: AuditFields): void {
      if (event === 'session-started') open.set(fields['sessionId'], fields);
      if (event === 'session-ended') open.delete(fields['sessionId']);
    },
    list: (): readonly AuditFields[] => [...open.values()],
  };
}
