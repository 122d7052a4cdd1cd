/** What stands behind the ports where one process is the gateway: the one place that names adapters. */
import type { Logger } from 'pino';
import { atGateway } from './audit/at-gateway.ts';
import { type Audit, createAudit, logSink } from './audit/audit.ts';
import { type AuditLog, openAuditLog } from './audit/open-audit-log.ts';
import { withinBudget } from './audit/within-budget.ts';
import { gatewayPenalties } from './auth/gateway-penalties.ts';
import { createPenalties } from './auth/penalties.ts';
import { createSharedAddresses } from './auth/shared-addresses.ts';
import { createTokenRate, type OwnTokenRate } from './auth/token-rate.ts';
import { liveAddressBlocks } from './config/address-blocks.ts';
import type { Config } from './config/config.ts';
import { isDatabaseUrl } from './config/store-url.ts';
import { withLive } from './config/with-live.ts';
import { createPageSnapshots } from './dialects/page-snapshots.ts';
import { type EnginesParts, openEngines } from './gateway-engines.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import type { GatewayOverrides, GatewayPorts, Lifecycle } from './gateway-ports.ts';
import { openStore } from './gateway-store.ts';
import type { OtherGateways } from './gateways/other-gateways.ts';
import { sessionsAcross } from './gateways/sessions-across.ts';
import { slotsAcross } from './gateways/slots-across.ts';
import { tokenRateAcross } from './gateways/token-rate-across.ts';
import { dialHost } from './hosts/dial-host.ts';
import { readIdentityFile } from './hosts/identity-files.ts';
import type { Metrics } from './metrics/create-metrics.ts';
import { measuredStore } from './metrics/measured-store.ts';
import { type Meter, noMeter } from './metrics/meter.ts';
import { findBridgeAddress } from './platform/bridge-address.ts';
import { type Clock, steadyClock, systemClock } from './platform/clock.ts';
import { createSlots, type SharedSlots } from './platform/slots.ts';
import { version } from './platform/version.ts';
import { openRecordings } from './recordings/open-recordings.ts';
import { createRecordingSpace } from './recordings/recording-space.ts';
import { createConnections } from './sessions/create-connections.ts';
import { isSessionSlot } from './sessions/run-session.ts';
import { localSessions, type SessionDirectory } from './sessions/session-directory.ts';
import { createHostAccess } from './ssh/client/create-host-access.ts';
import type { Store } from './store/store.ts';
import {
  createLeftPrograms,
  type LeftPrograms,
  type LeftProgramsOptions,
} from './targets/container/left-programs.ts';
import { createHostEngine } from './targets/remote-host/create-host-engine.ts';
import type { SharedState } from './workers/ports/serve-ports.ts';

/** Beside the ports, what only the process has that lets people in and is asked for metrics. */
export interface Adapters extends GatewayPorts {
  readonly slots: SharedSlots;
  readonly metrics: Metrics | undefined;
  readonly auditLog: AuditLog;
  /** What strangers are held to, whichever door they come to. */
  readonly strangerLimits: ReturnType<typeof createLimits>;
  /** What other processes share through this one, beside the ports. */
  readonly shared: Pick<
    SharedState,
    'recordingSpace' | 'auditLog' | 'tellAudit' | 'ready' | 'endPrograms' | 'findChanges' | 'spanning'
  >;
  /** For a successor; the metrics are known to whoever joins them. */
  readonly remember: () => Omit<GatewayMemory, 'metrics'>;
}

/** Where this is one process of several. */
export interface Sharing {
  /** For other processes, too. */
  readonly shareStore?: ((store: Store) => Store) | undefined;
  /** Of the process that an operator stops. */
  readonly pid?: number | undefined;
  /** Of the supervisor before this one. */
  readonly memory?: GatewayMemory | undefined;
  /** Resolves when the workers of that one have said what they hold, or are gone. */
  readonly ready?: Promise<unknown> | undefined;
}

/** Opened in the order things depend on each other; `lifecycle` closes them in the reverse order. */
export async function openAdapters(
  config: Config,
  log: Logger,
  overrides: GatewayOverrides,
  lifecycle: Lifecycle,
  { shareStore = (store) => store, pid, memory, ready }: Sharing = {},
): Promise<Adapters> {
  const clock = overrides.clock ?? systemClock;
  const steady = overrides.clock ?? steadyClock;
  const metrics = await openMetrics(config);
  const meter = metrics?.meter ?? noMeter;
  const onWritten = (seconds: number, failed: boolean) => meter.storeWorked('flush', seconds, failed);
  const { store: opened, others } = overrides.store
    ? { store: overrides.store }
    : await openStore(config, log, onWritten, pid);
  const store = shareStore(measuredStore(opened, meter));
  lifecycle.onClose(() => store.close());
  const auditLog = await openAudit(config, log, clock);
  lifecycle.onClose(() => auditLog.close());
  const { recordingSpace, recordings } = openRecorders(config, log, clock, ready, lifecycle);
  const parts = { config, store, clock, log, meter, own: overrides.engine };
  const { dialEngine, findChanges, ...targets } = openTargets(parts, lifecycle);
  // An engine that is away has been told of elsewhere, and may have nothing of ours.
  targets.engine.removeLeftovers().catch((error) => log.debug({ err: error }, 'leftovers were not removed'));
  const told = withinBudget([logSink(log), auditLog.write], steady);
  const tellAudit = isDatabaseUrl(config.store) ? atGateway(config.gatewayName, told) : told;
  const audit = createAudit(tellAudit, ...(metrics ? [metrics.auditSink] : []));
  const strangerLimits = createLimits({ config, log, clock: steady, audit, meter }, memory);
  const connections = createConnections();
  metrics?.watch({
    penalties: strangerLimits.penalties.activeCount,
    openTraffic: () => connections.listSessions().map((session) => session.traffic()),
    auditProblem: auditLog.problem,
  });
  const rates = { perSecond: () => config.tokenRatePerSecond, burst: () => config.tokenRateBurst };
  const ownRate = createTokenRate(withLive({ clock, remembered: memory?.tokenRate }, rates));
  const { spanning, ...spanned } = spanGateways(config, others, ownRate);
  const endPrograms = openLeftPrograms(config, dialEngine, log, lifecycle);
  return {
    ...{ clock, meter, metrics, store, audit, auditLog, recordings, connections },
    ...targets,
    strangerLimits,
    shared: { recordingSpace, auditLog, tellAudit, ready, endPrograms, findChanges, spanning },
    remember: () => ({
      penalties: strangerLimits.penalties.remembered(),
      tokenRate: ownRate.remembered(),
    }),
    penalties: gatewayPenalties(strangerLimits.penalties),
    ...spanned,
    pageSnapshots: createPageSnapshots(),
    sessions: spanning(localSessions(connections)),
  };
}

/** What is of all gateways on one database, where it is one of several. */
function spanGateways(config: Config, others: OtherGateways | undefined, ownRate: OwnTokenRate) {
  const own = createSlots();
  if (!others) return { slots: own, tokenRate: ownRate, spanning: (sessions: SessionDirectory) => sessions };
  const aloneMs = () => config.storeCacheSeconds * 1000;
  const rate = { perSecond: () => config.tokenRatePerSecond, burst: () => config.tokenRateBurst };
  return {
    slots: slotsAcross({ others, own, isShared: isSessionSlot, aloneMs }),
    tokenRate: tokenRateAcross(withLive({ others, own: ownRate }, rate)),
    spanning: (sessions: SessionDirectory) => sessionsAcross(others, sessions),
  };
}

function openRecorders(
  config: Config,
  log: Logger,
  clock: Clock,
  ready: Sharing['ready'],
  lifecycle: Lifecycle,
) {
  const recordingSpace = createRecordingSpace({ ...recordingOptions(config, log, clock), ready });
  lifecycle.onClose(() => recordingSpace.close());
  const recordings = openRecordings({ ...recordingOptions(config, log, clock), space: recordingSpace });
  lifecycle.onClose(() => recordings.close());
  return { recordingSpace, recordings };
}

function openLeftPrograms(
  config: Config,
  dial: LeftProgramsOptions['dial'],
  log: Logger,
  lifecycle: Lifecycle,
): LeftPrograms['end'] {
  const left = createLeftPrograms(
    withLive({ docker: config.docker, dial, log }, { hangupGraceMs: () => config.hangupGraceMs }),
  );
  lifecycle.onClose(() => left.close());
  return left.end;
}

const openAudit = (config: Config, log: Logger, clock: Clock): Promise<AuditLog> =>
  openAuditLog(
    withLive(
      { dataDir: config.dataDir, log, clock },
      { maxFileBytes: () => config.auditFileBytes, keptFiles: () => config.auditKeptFiles },
    ),
  );

const dayMs = 86_400_000;

export const recordingOptions = (config: Config, log: Logger, clock: Clock) => ({
  ...{ dataDir: config.dataDir, log, clock },
  gateway: isDatabaseUrl(config.store) ? config.gatewayName : undefined,
  limits: withLive(
    {},
    {
      maxFileBytes: () => config.recordingFileBytes,
      maxBytes: () => config.recordingsMaxBytes,
      keptMs: () => config.recordingsKeptDays * dayMs,
    },
  ),
});

/** Each process has its own connections to engines and hosts, and what it has prepared in containers. */
export function openTargets(parts: Omit<EnginesParts, 'hostEngine'>, lifecycle: Lifecycle) {
  const { config } = parts;
  const { dataDir } = config;
  const { scanHostKeys, egressKey, openConnection } = createHostAccess(config);
  const hostEngine = createHostEngine({
    dialHost: (to) => dialHost({ ...to, withinMs: config.hostConnectTimeoutMs }),
    scanHostKeys,
    openConnection,
    readIdentityFile: async (path) => (await readIdentityFile(dataDir, path)).privateKey,
    readEgressKey: async () => (await egressKey()).privateKey,
  });
  lifecycle.onClose(() => hostEngine.close());
  const { engine, ...engines } = openEngines({ ...parts, hostEngine });
  lifecycle.onClose(() => engine.close());
  return { hostEngine, egressKey, engine, ...engines };
}

interface LimitsParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly meter: Meter;
}

function createLimits({ config, log, clock, audit, meter }: LimitsParts, memory: GatewayMemory | undefined) {
  const shared = createSharedAddresses(config, findBridgeAddress(), log);
  const exempt = liveAddressBlocks(() => config.perSourcePenaltyExemptList);
  const penalties = createPenalties({
    config,
    clock,
    remembered: memory?.penalties,
    isExempt: (address) => exempt.has(address) || shared.isShared(address),
    onActive: ({ source, reason, secondsLeft: seconds }) => {
      meter.penaltyGiven(reason.replaceAll('-', '_'));
      audit.sourcePenalised({ source, reason, seconds });
    },
  });
  return { shared, penalties };
}

/** Undefined where nobody reads them; loaded only where somebody does. */
export async function openMetrics({ metricsListen }: Config): Promise<Metrics | undefined> {
  if (metricsListen === undefined) return undefined;
  const { createMetrics } = await import('./metrics/create-metrics.ts');
  return createMetrics(version);
}
