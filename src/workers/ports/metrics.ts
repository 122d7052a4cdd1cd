/** The metrics of all processes of a gateway on one page: asked for at each scrape, and what the dead have counted is kept. */
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Metrics, MetricsData } from '../../metrics/create-metrics.ts';
import { type JoinedMetrics, joinMetrics } from '../../metrics/join-metrics.ts';
import type { ServedPort } from './served-port.ts';
import type { ConnectedWorker } from './sessions.ts';

/** Of the supervisor to a worker. */
const ownMethod = 'metrics.own';
/** Of a worker that is about to end: what it has counted. */
const lastMethod = 'metrics.last';

/** There may be no supervisor at the moment. */
const handInWithinMs = 5_000;
/** Prometheus waits ten seconds. */
const answerWithinMs = 2_000;

/** What it returns is to be called when all is counted: resolves when a supervisor knows it, or there is none for too long. */
export function metricsOverIpc(supervisor: SteadyPeer, own: Pick<Metrics, 'data'>): () => Promise<void> {
  supervisor.serve(new Map([[ownMethod, () => own.data()]]));
  const how = { repeatable: true, deadlineMs: handInWithinMs };
  return async () => {
    const data = await own.data();
    await supervisor.request(lastMethod, data, how).catch(() => {});
  };
}

export interface MetricsServer extends ServedPort {
  page: Metrics['page'];
  /** Of those that are gone, and of this process as one that will be: plain data, for a successor. */
  remembered(): Promise<MetricsData>;
}

export interface ServeMetricsOptions {
  readonly own: Pick<Metrics, 'data'>;
  readonly list: () => readonly ConnectedWorker[];
  /** What the supervisor before this one gave. */
  readonly departed?: MetricsData | undefined;
}

export function serveMetrics({ own, list, departed = [] }: ServeMetricsOptions): MetricsServer {
  const last = new Map<string, MetricsData>();
  const joined: JoinedMetrics = joinMetrics(departed);
  const ask = async ({ id, peer }: ConnectedWorker) => {
    const how = { deadlineMs: answerWithinMs };
    const data = await peer?.request<MetricsData>(ownMethod, undefined, how).catch(() => undefined);
    // What a busy one had counted last is nearer than nothing, which would look like counters that went back.
    if (data) last.set(id, data);
    return last.get(id) ?? [];
  };
  return {
    handlersFor: (worker) => [[lastMethod, (data) => void last.set(worker, data as MetricsData)]],
    gone(worker) {
      joined.depart(last.get(worker) ?? []);
      last.delete(worker);
    },
    async page() {
      const [mine, ...theirs] = await Promise.all([own.data(), ...list().map(ask)]);
      return joined.page([mine, ...theirs]);
    },
    async remembered() {
      joined.depart(await own.data());
      return joined.departed();
    },
  };
}
