/** What stands behind the ports of a worker: its own connections and engine; all else is asked of the supervisor. */
import type { Logger } from 'pino';
import { createAudit } from './audit/audit.ts';
import type { Config } from './config/config.ts';
import { openMetrics, openTargets, recordingOptions } from './gateway-adapters.ts';
import type { GatewayPorts, Lifecycle } from './gateway-ports.ts';
import type { SteadyPeer } from './ipc/open-steady-peer.ts';
import { measuredStore } from './metrics/measured-store.ts';
import { noMeter } from './metrics/meter.ts';
import { systemClock } from './platform/clock.ts';
import { openRecordings } from './recordings/open-recordings.ts';
import { createConnections } from './sessions/create-connections.ts';
import { localSessions } from './sessions/session-directory.ts';
import { openStoreOverIpc } from './store/over-ipc/open-store-over-ipc.ts';
import { metricsOverIpc } from './workers/ports/metrics.ts';
import { portsOverIpc } from './workers/ports/ports-over-ipc.ts';

export interface WorkerPortsDependencies {
  readonly supervisor: SteadyPeer;
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
}

/** To be called in the turn of `openSteadyPeer`. */
export async function openWorkerPorts(dependencies: WorkerPortsDependencies): Promise<GatewayPorts> {
  const { supervisor, config, log, lifecycle } = dependencies;
  const connections = createConnections();
  // Before the store: once that has said that it is here, the supervisor takes what this worker holds for known.
  const {
    tell,
    handIn,
    recordingSpace: space,
    onProgram,
    followChanges,
    ...ports
  } = portsOverIpc(supervisor, localSessions(connections));
  const overIpc = openStoreOverIpc({ supervisor, log });
  const metrics = await openMetrics(config);
  metrics?.watch({
    openTraffic: () => connections.listSessions().map((session) => session.traffic()),
    auditProblem: ports.auditLog.problem,
  });
  const meter = metrics?.meter ?? noMeter;
  const store = measuredStore(overIpc, meter);
  lifecycle.onClose(() => store.close());
  // Behind everything that is told and counted.
  lifecycle.onClose(handIn);
  if (metrics) lifecycle.onClose(metricsOverIpc(supervisor, metrics));
  const clock = systemClock;
  const recordings = openRecordings({ ...recordingOptions(config, log, clock), space });
  lifecycle.onClose(() => recordings.close());
  const targets = openTargets({ config, store, clock, log, meter, onProgram, followChanges }, lifecycle);
  const audit = createAudit(tell, ...(metrics ? [metrics.auditSink] : []));
  return { ...ports, ...targets, clock, meter, store, recordings, connections, audit };
}
