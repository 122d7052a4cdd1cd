/** Every metric of a gateway, by Prometheus' naming conventions. What labels may say is bounded: see `Meter`. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** From a command of the lobby to an engine that is busy. */
const quickBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From a command to a day in a shell. */
const sessionBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1_800, 7_200, 43_200];

export type MetricSet = ReturnType<typeof metricsOf>;

export function metricsOf(registry: Registry) {
  const makers = makersFor(registry);
  return {
    ...ofGateway(makers),
    ...ofLogins(makers),
    ...ofSessions(makers),
    ...ofPorts(makers),
    ...ofHttp(makers),
  };
}

type Makers = ReturnType<typeof makersFor>;

function makersFor(registry: Registry) {
  const registers = [registry];
  return {
    counter: <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers }),
    gauge: <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge({ name, help, labelNames, registers }),
    /** Of several processes the highest counts, not their sum. */
    highest: <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge({ name, help, labelNames, registers, aggregator: 'max' }),
    histogram: <Label extends string>(
      name: string,
      help: string,
      buckets: number[],
      ...labelNames: Label[]
    ) => new Histogram({ name, help, buckets, labelNames, registers }),
  };
}

/** What runs, and how well. */
const ofGateway = ({ counter, highest }: Makers) => ({
  build: highest('postern_build_info', 'Always 1; what runs.', 'version', 'node'),

  faults: counter(
    'postern_uncaught_errors_total',
    'Faults of the gateway itself that nothing caught, by what they ended.',
    'ended',
  ),
});

/** Who comes, and who is let in. */
const ofLogins = ({ counter, gauge }: Makers) => ({
  connectionsOpen: gauge(
    'postern_connections_open',
    'SSH connections, those that are not logged in too.',
    'kind',
  ),
  connectionsAccepted: counter(
    'postern_connections_accepted_total',
    'SSH connections that were served.',
    'kind',
  ),
  connectionsRefused: counter(
    'postern_connections_refused_total',
    'Connections closed before a byte was read of them.',
    'reason',
  ),
  penalties: counter('postern_penalties_total', 'Penalties given to sources.', 'reason'),
  penaltiesActive: gauge('postern_penalties_active', 'Sources that are kept out now.'),

  logins: counter('postern_logins_total', 'Logins and tokens shown.', 'result', 'method', 'reason'),
  joins: counter('postern_joins_total', 'Accounts made by invites.'),
  refusals: counter('postern_refusals_total', 'What was asked for and not allowed or not had.', 'reason'),
});

/** What they do here. */
const ofSessions = ({ counter, gauge, histogram }: Makers) => ({
  sessionsOpen: gauge('postern_sessions_open', 'Sessions and forwards that are open.', 'kind'),
  sessionsStarted: counter('postern_sessions_started_total', 'Sessions and forwards begun.', 'kind', 'start'),
  sessionsEnded: counter('postern_sessions_ended_total', 'How they ended.', 'kind', 'start', 'end'),
  sessionDuration: histogram(
    'postern_session_duration_seconds',
    'From the request to the end.',
    sessionBuckets,
    'kind',
    'start',
  ),
  sessionBytes: counter(
    'postern_session_bytes_total',
    'Bytes through sessions and forwards; in: from the peer.',
    'direction',
  ),

  programStart: histogram(
    'postern_program_start_seconds',
    "From a session's request to its program's start in a container.",
    quickBuckets,
    'way',
  ),
});

/** What the gateway itself waits for: the engine, the store, the disk. */
const ofPorts = ({ counter, highest, histogram }: Makers) => ({
  dockerDuration: histogram(
    'postern_docker_request_duration_seconds',
    "Calls of the Docker Engine's API, until the answer began.",
    quickBuckets,
    'operation',
  ),
  dockerFailures: counter(
    'postern_docker_request_failures_total',
    'Those without an answer that could be used.',
    'operation',
    'reason',
  ),

  storeDuration: histogram(
    'postern_store_duration_seconds',
    'Transactions until they are on the disk, and the writes that they share.',
    quickBuckets,
    'operation',
  ),
  storeFailures: counter('postern_store_failures_total', 'Those that failed.', 'operation'),
  auditUnwritten: highest('postern_audit_unwritten', '1 while audit events do not reach the disk.'),
});

/** The HTTP door. */
const ofHttp = ({ counter, histogram }: Makers) => ({
  httpRequests: counter('postern_http_requests_total', 'HTTP answers.', 'route', 'method', 'status'),
  httpDuration: histogram(
    'postern_http_request_duration_seconds',
    'From a request to the end of its answer.',
    quickBuckets,
    'route',
  ),
});
