/** The lower half of the composition root: store, engine, and the rules over them. */
import type { Logger } from 'pino';
import { createAccounts } from './accounts/create-accounts.ts';
import { createInvites } from './accounts/create-invites.ts';
import { createKeyFeed } from './accounts/key-feed.ts';
import { type Audit, createAudit, logSink } from './audit/audit.ts';
import { openAuditLog } from './audit/open-audit-log.ts';
import { withinBudget } from './audit/within-budget.ts';
import { createAuthorizer } from './auth/create-authorizer.ts';
import { createPenalties } from './auth/penalties.ts';
import { createSharedAddresses } from './auth/shared-addresses.ts';
import { createTokenAuthenticator } from './auth/token-authenticator.ts';
import { createExchangeToken } from './auth/token-exchange.ts';
import { withPenalties } from './auth/token-penalties.ts';
import { withAuditRequired } from './auth/with-audit-required.ts';
import { createCertificateAuthorities } from './certificate-authorities/create-certificate-authorities.ts';
import { liveAddressBlocks } from './config/address-blocks.ts';
import type { Config } from './config/config.ts';
import { createContainerSshd } from './container-sshd/create-container-sshd.ts';
import { openEngines } from './gateway-engines.ts';
import { openStore } from './gateway-store.ts';
import { createHosts } from './hosts/create-hosts.ts';
import { dialHost } from './hosts/dial-host.ts';
import { readIdentityFile } from './hosts/identity-files.ts';
import { createKeys } from './keys/create-keys.ts';
import type { Metrics } from './metrics/create-metrics.ts';
import { measuredStore } from './metrics/measured-store.ts';
import { type Meter, noMeter } from './metrics/meter.ts';
import { findBridgeAddress } from './platform/bridge-address.ts';
import { type Clock, steadyClock, systemClock } from './platform/clock.ts';
import type { createLifecycle } from './platform/lifecycle.ts';
import { version } from './platform/version.ts';
import { createForwardLogs } from './recordings/forward-logs.ts';
import { openRecordings } from './recordings/open-recordings.ts';
import { createSecondFactors } from './second-factor/create-second-factors.ts';
import { createConnections } from './sessions/create-connections.ts';
import { createRecordSession } from './sessions/record-session.ts';
import { createHostAccess } from './ssh/client/create-host-access.ts';
import type { Store } from './store/store.ts';
import { isContainerNameOf, isOwnerLabelOf } from './targets/container-names.ts';
import { createTargetDirectory } from './targets/create-target-directory.ts';
import { createHostEngine } from './targets/remote-host/create-host-engine.ts';
import type { ContainerEngine } from './targets/target.ts';
import { createApiKeys } from './tokens/api-keys.ts';
import { createHandles } from './tokens/handles.ts';

/** What tests may put in the place of the real thing. */
export interface GatewayOverrides {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly engine?: ContainerEngine;
}

const dayMs = 86_400_000;

export type Lifecycle = ReturnType<typeof createLifecycle>;

/** Opened in the order things depend on each other; `lifecycle` closes them in the reverse order. */
export async function openRules(
  config: Config,
  log: Logger,
  overrides: GatewayOverrides,
  lifecycle: Lifecycle,
) {
  const clock = overrides.clock ?? systemClock;
  const metrics = await openMetrics(config);
  const meter = metrics?.meter ?? noMeter;
  const onWritten = (seconds: number, failed: boolean) => meter.storeWorked('flush', seconds, failed);
  const store = measuredStore(overrides.store ?? (await openStore(config, log, onWritten)), meter);
  lifecycle.onClose(() => store.close());
  const auditLog = await openAuditLog({
    dataDir: config.dataDir,
    log,
    clock,
    get maxFileBytes() {
      return config.auditFileBytes;
    },
    get keptFiles() {
      return config.auditKeptFiles;
    },
  });
  lifecycle.onClose(() => auditLog.close());
  const limits = {
    get maxFileBytes() {
      return config.recordingFileBytes;
    },
    get maxBytes() {
      return config.recordingsMaxBytes;
    },
    get keptMs() {
      return config.recordingsKeptDays * dayMs;
    },
  };
  const recordings = openRecordings({ dataDir: config.dataDir, log, clock, limits });
  lifecycle.onClose(() => recordings.close());
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
  const { engine, engines } = openEngines({
    ...{ config, store, clock, log, meter, hostEngine },
    own: overrides.engine,
  });
  lifecycle.onClose(() => engine.close());
  // An engine that is away has been told of elsewhere, and may have nothing of ours.
  engine.removeLeftovers().catch((error) => log.debug({ err: error }, 'leftovers were not removed'));
  const standing = createAuthorizer({ store, clock, config });
  const authorizer = withAuditRequired(standing, () =>
    config.auditRequired ? auditLog.problem() : undefined,
  );
  const accounts = createAccounts({ store, clock });
  const { domain, targetPrefix } = config;
  const handles = createHandles({ store, clock });
  const keyRules = {
    ...{ store, clock, handles, domain },
    get maxKeysPerAccount() {
      return config.maxKeysPerAccount;
    },
  };
  const keys = createKeys(keyRules);
  const secondFactors = createSecondFactors({
    ...{ store, clock, issuer: domain },
    get rememberHours() {
      return config.mfaRememberHours;
    },
  });
  const isContainerName = isContainerNameOf(engine);
  const scanHost = hostEngine.scanHostKeys;
  const hosts = createHosts({ store, clock, dataDir, targetPrefix, isContainerName, scanHost });
  const connections = createConnections();
  const steady = overrides.clock ?? steadyClock;
  const told = withinBudget([logSink(log), auditLog.write], steady);
  const audit = createAudit(told, ...(metrics ? [metrics.auditSink] : []));
  const tokens = createTokenAuthenticator({ accounts, keys, handles, secondFactors, clock, domain });
  const strangerLimits = createLimits(config, log, steady, audit, meter);
  metrics?.watch({
    penalties: strangerLimits.penalties.activeCount,
    openTraffic: () => connections.listSessions().map((session) => session.traffic()),
    auditProblem: auditLog.problem,
  });
  const tapRules = {
    get input() {
      return config.recordingInput;
    },
    get maxExecBytes() {
      return config.recordingExecBytes;
    },
  };
  return {
    recordings,
    recordSession: createRecordSession({ recordings, audit, log, rules: tapRules }),
    forwardLogs: createForwardLogs(recordings),
    clock,
    meter,
    metrics,
    store,
    engine,
    engines,
    authorizer,
    standing,
    accounts,
    handles,
    apiKeys: createApiKeys(keyRules),
    tokens,
    strangerTokens: withPenalties(tokens, strangerLimits.penalties),
    keyFeed: createKeyFeed({ store, clock }),
    exchangeToken: createExchangeToken({ handles, clock }),
    invites: createInvites({ store, clock, isNameSpokenFor: isOwnerLabelOf(engine) }),
    keys,
    hosts,
    egressKey,
    hostEngine,
    certificateAuthorities: createCertificateAuthorities({ store, clock }),
    secondFactors,
    targets: createTargetDirectory({ engine, hosts, authorizer, config }),
    containerSshd: createContainerSshd({ engine, store, clock, config }),
    auditHead: auditLog.head,
    connections,
    strangerLimits,
    penalties: strangerLimits.penalties,
    audit,
  };
}

/** What strangers are held to, whichever door they come to. */
function createLimits(config: Config, log: Logger, clock: Clock, audit: Audit, meter: Meter) {
  const shared = createSharedAddresses(config, findBridgeAddress(), log);
  const exempt = liveAddressBlocks(() => config.perSourcePenaltyExemptList);
  const penalties = createPenalties({
    config,
    clock,
    isExempt: (address) => exempt.has(address) || shared.isShared(address),
    onActive: ({ source, reason, secondsLeft: seconds }) => {
      meter.penaltyGiven(reason.replaceAll('-', '_'));
      audit.sourcePenalised({ source, reason, seconds });
    },
  });
  return { shared, penalties };
}

/** Undefined where nobody reads them; loaded only where somebody does. */
async function openMetrics({ metricsListen }: Config): Promise<Metrics | undefined> {
  if (metricsListen === undefined) return undefined;
  const { createMetrics } = await import('./metrics/create-metrics.ts');
  return createMetrics(version);
}

export type Rules = Awaited<ReturnType<typeof openRules>>;
