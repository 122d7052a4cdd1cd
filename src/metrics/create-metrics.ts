/** The metrics of one gateway, with those of its process. The only importer of prom-client is this folder. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AuditSink } from '../audit/audit.ts';
import { auditMetrics } from './audit-metrics.ts';
import type { Meter } from './meter.ts';
import { type MetricSet, metricsOf } from './metrics-of.ts';

export interface Metrics {
  readonly meter: Meter;
  readonly auditSink: AuditSink;
  /** What is asked for at each scrape, because nobody tells of it. Called once. */
  watch(state: WatchedState): void;
  /** The whole page, in Prometheus' text format. */
  page(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** The same as plain data, for whoever joins several processes'. */
  data(): Promise<MetricsData>;
}

/** As prom-client has it. */
export type MetricsData = readonly { readonly name: string; readonly type?: unknown }[];

export interface WatchedState {
  /** Bytes so far of every session that is open. */
  readonly openTraffic: () => readonly { readonly bytesIn: number; readonly bytesOut: number }[];
  readonly auditProblem: () => string | undefined;
  /** How many sources are kept out now. */
  readonly penalties?: () => number;
}

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const metrics = metricsOf(registry);
  metrics.build.set({ version, node: process.versions.node }, 1);
  for (const ended of ['connection', 'gateway']) metrics.faults.inc({ ended }, 0);
  const endedTraffic = { bytesIn: 0, bytesOut: 0 };
  let state: WatchedState = { openTraffic: () => [], auditProblem: () => undefined };

  /** Nothing is counted where the bytes pass: the sessions know what they have carried. */
  const readState = () => {
    const all = [endedTraffic, ...state.openTraffic()];
    const sum = (of: 'bytesIn' | 'bytesOut') => all.reduce((total, traffic) => total + traffic[of], 0);
    metrics.sessionBytes.reset();
    metrics.sessionBytes.inc({ direction: 'in' }, sum('bytesIn'));
    metrics.sessionBytes.inc({ direction: 'out' }, sum('bytesOut'));
    metrics.penaltiesActive.set(state.penalties?.() ?? 0);
    metrics.auditUnwritten.set(state.auditProblem() === undefined ? 0 : 1);
  };
  return {
    meter: meterOver(metrics),
    auditSink: auditMetrics(metrics, (bytesIn, bytesOut) => {
      endedTraffic.bytesIn += bytesIn;
      endedTraffic.bytesOut += bytesOut;
    }),
    watch(watched) {
      state = watched;
    },
    async page() {
      readState();
      const [own, ofProcess] = await Promise.all([registry.metrics(), processMetrics().metrics()]);
      return { contentType: registry.contentType, text: `${own}\n${ofProcess}` };
    },
    async data() {
      readState();
      const registries = [registry, processMetrics()];
      return (await Promise.all(registries.map((each) => each.getMetricsAsJSON()))).flat();
    },
  };
}

let processRegistry: Registry | undefined;

/** One for all gateways of the process: what watches its event loop and its garbage is there once, and never ends. */
function processMetrics(): Registry {
  if (processRegistry) return processRegistry;
  processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry });
  return processRegistry;
}

const meterOver = (metrics: MetricSet): Meter => ({
  connectionOpened: (kind) => {
    metrics.connectionsOpen.inc({ kind });
    metrics.connectionsAccepted.inc({ kind });
  },
  connectionClosed: (kind) => metrics.connectionsOpen.dec({ kind }),
  connectionRefused: (reason) => metrics.connectionsRefused.inc({ reason }),
  httpAnswered: ({ route, method, status, seconds }) => {
    metrics.httpRequests.inc({ route, method, status: String(status) });
    metrics.httpDuration.observe({ route }, seconds);
  },
  engineCalled: (operation, seconds, failure) => {
    metrics.dockerDuration.observe({ operation }, seconds);
    if (failure !== undefined) metrics.dockerFailures.inc({ operation, reason: failure });
  },
  programStarted: (way, seconds) => metrics.programStart.observe({ way }, seconds),
  storeWorked: (operation, seconds, failed) => {
    metrics.storeDuration.observe({ operation }, seconds);
    if (failed) metrics.storeFailures.inc({ operation });
  },
  faultCaught: (ended) => metrics.faults.inc({ ended }),
  penaltyGiven: (reason) => metrics.penalties.inc({ reason }),
});
