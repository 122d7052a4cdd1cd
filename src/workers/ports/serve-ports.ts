/** The supervisor's ends of the ports: what each worker holds of the gateway's, and gives back when it dies. */
import type { AuditSink } from '../../audit/audit.ts';
import type { AuditLog } from '../../audit/open-audit-log.ts';
import type { GatewayPenalties } from '../../auth/gateway-penalties.ts';
import type { TokenRate } from '../../auth/token-rate.ts';
import type { PageSnapshots } from '../../dialects/page-snapshots.ts';
import type { Peer } from '../../ipc/peer.ts';
import type { Handler } from '../../ipc/serving.ts';
import type { Metrics, MetricsData } from '../../metrics/create-metrics.ts';
import type { SharedSlots } from '../../platform/slots.ts';
import type { OwnRecordingSpace } from '../../recordings/recording-space.ts';
import type { SessionDirectory } from '../../sessions/session-directory.ts';
import { serveAudit } from './audit.ts';
import { type FindChanges, serveChanges } from './changes.ts';
import { type MetricsServer, serveMetrics } from './metrics.ts';
import { servePrograms } from './programs.ts';
import { servePageSnapshots, servePenalties, serveTokenRate } from './questions.ts';
import { serveRecordingSpace } from './recording-space.ts';
import { type ConnectedWorker, serveSessions, sessionsOfWorkers } from './sessions.ts';
import { serveSlots } from './slots.ts';

export interface SharedState {
  readonly penalties: GatewayPenalties;
  readonly tokenRate: TokenRate;
  readonly pageSnapshots: PageSnapshots;
  readonly slots: SharedSlots;
  /** Ends what a dead worker left in containers. */
  readonly endPrograms: (programs: readonly unknown[]) => void;
  readonly recordingSpace: OwnRecordingSpace;
  readonly findChanges: FindChanges;
  readonly auditLog: Pick<AuditLog, 'problem' | 'onProblem' | 'flush' | 'head'>;
  /** As what is told by this process: to the log and the file, within what strangers may cause. */
  readonly tellAudit: AuditSink;
  /** Unset: nobody asks for them. */
  readonly metrics?: Pick<Metrics, 'data'> | undefined;
  /** Of the supervisor before this one. */
  readonly departedMetrics?: MetricsData | undefined;
  /** Resolves when the workers of the supervisor before this one have said what they hold, or are gone. */
  readonly ready?: Promise<unknown> | undefined;
  /** Those of all workers, and beside them those of other gateways where there are any. */
  readonly spanning?: ((own: SessionDirectory) => SessionDirectory) | undefined;
  /** All that there are, with a connection or without. */
  readonly listWorkers: () => readonly ConnectedWorker[];
}

export interface PortsServer {
  /** What a worker may ask by this connection; called once for each connection. */
  handlersFor(worker: { readonly id: string }, peer: Peer): Iterable<readonly [string, Handler]>;
  /** It is dead: what it held is free, and what ran in it has ended. */
  gone(worker: string): void;
  /** Of all workers, and of other gateways. */
  readonly sessions: SessionDirectory;
  readonly metrics: MetricsServer | undefined;
}

export function servePorts(state: SharedState): PortsServer {
  const { listWorkers: list, metrics: own, departedMetrics: departed, spanning = (own) => own } = state;
  const sessions = spanning(sessionsOfWorkers(list, state.ready));
  const audit = serveAudit(state.tellAudit, state.auditLog);
  const metrics = own && serveMetrics({ own, list, departed });
  const ports = [
    audit,
    servePenalties(state.penalties),
    serveTokenRate(state.tokenRate),
    servePageSnapshots(state.pageSnapshots),
    serveSlots(state.slots, state.ready),
    serveRecordingSpace(state.recordingSpace),
    serveSessions(sessions),
    servePrograms(state.endPrograms),
    serveChanges(state.findChanges),
    ...(metrics ? [metrics] : []),
  ];
  return {
    handlersFor({ id }, peer) {
      audit.watch(peer);
      return ports.flatMap((port) => [...port.handlersFor(id, peer)]);
    },
    gone(worker) {
      for (const port of ports) port.gone(worker);
    },
    sessions,
    metrics,
  };
}
