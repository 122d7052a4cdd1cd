/** What stands behind the ports of a worker: its own connections and engine; all else is asked of the supervisor. */
import type { Logger } from 'pino';
import { createAudit, logSink } from './audit/audit.ts';
import { withinBudget } from './audit/within-budget.ts';
import { gatewayPenalties } from './auth/gateway-penalties.ts';
import { createPenalties } from './auth/penalties.ts';
import { createTokenRate } from './auth/token-rate.ts';
import type { Config } from './config/config.ts';
import { createPageSnapshots } from './dialects/page-snapshots.ts';
import { openTargets, recordingOptions } from './gateway-adapters.ts';
import type { GatewayPorts, Lifecycle } from './gateway-ports.ts';
import type { SteadyPeer } from './ipc/open-steady-peer.ts';
import { noMeter } from './metrics/meter.ts';
import { steadyClock, systemClock } from './platform/clock.ts';
import { createSlots } from './platform/slots.ts';
import { openRecordings } from './recordings/open-recordings.ts';
import { createRecordingSpace } from './recordings/recording-space.ts';
import { createConnections } from './sessions/create-connections.ts';
import { localSessions } from './sessions/session-directory.ts';
import { openStoreOverIpc } from './store/over-ipc/open-store-over-ipc.ts';

export interface WorkerPortsDependencies {
  readonly supervisor: SteadyPeer;
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
}

export async function openWorkerPorts(dependencies: WorkerPortsDependencies): Promise<GatewayPorts> {
  const { supervisor, config, log, lifecycle } = dependencies;
  const store = openStoreOverIpc({ supervisor, log });
  lifecycle.onClose(() => store.close());
  const clock = systemClock;
  const meter = noMeter;
  const targets = openTargets({ config, store, clock, log, meter }, lifecycle);
  const write = (event: string, fields: object) => supervisor.notify('audit.write', { event, fields });
  const space = createRecordingSpace(recordingOptions(config, log, clock));
  lifecycle.onClose(() => space.close());
  const recordings = openRecordings({ ...recordingOptions(config, log, clock), space });
  lifecycle.onClose(() => recordings.close());
  const connections = createConnections();
  return {
    ...{ clock, meter, store, recordings, connections },
    ...targets,
    audit: createAudit(withinBudget([logSink(log), write], steadyClock)),
    auditLog: {
      problem: () => undefined,
      flush: () => supervisor.request('audit.flush', undefined, { repeatable: true }),
      head: () => supervisor.request('audit.head', undefined, { repeatable: true }),
    },
    penalties: gatewayPenalties(
      createPenalties({ config, clock: steadyClock, isExempt: () => false, onActive: () => {} }),
    ),
    tokenRate: createTokenRate({ clock, perSecond: config.tokenRatePerSecond, burst: config.tokenRateBurst }),
    slots: createSlots(),
    pageSnapshots: createPageSnapshots(),
    sessions: localSessions(connections),
  };
}
