/**
 * The composition root: the one place that knows which adapter stands behind which port. Opened in the
 * order things depend on each other, closed in the reverse order.
 */
import type { Logger } from 'pino';
import { createFirstInvite, ensureAdminOfFile } from './accounts/first-admin.ts';

import { maxBackupBytes } from './backup/archive.ts';
import type { Config } from './config/config.ts';
import { createLiveConfig, type LiveConfig } from './config/live-config.ts';
import { createReload } from './config/reload.ts';
import { isDatabaseUrl } from './config/store-url.ts';
import { openControlDoor } from './control/control-door.ts';
import { createOperatorCommands } from './control/operator-commands.ts';
import { createOperatorLines } from './control/operator-lines.ts';
import { type Adapters, openAdapters } from './gateway-adapters.ts';
import { createBackups, finishPendingRestore } from './gateway-backup.ts';
import { endpointOf, openDoors, type Serving, servicesOf } from './gateway-doors.ts';
import type { Gateway, GatewayProgram } from './gateway-facade.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import type { GatewayOverrides, Lifecycle } from './gateway-ports.ts';
import { createRules } from './gateway-rules.ts';
import type { WorkersServing } from './gateway-workers.ts';
import type { MetricsDoorOptions } from './http/metrics-door.ts';
import type { HttpEntrancesDependencies } from './http/open-http-entrances.ts';
import { createEndForFault } from './metrics/end-for-fault.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { awaitBalancer } from './sessions/drain.ts';
import { watchRevocations } from './sessions/revocation.ts';
import type { Address } from './sessions/session.ts';
import { openHostKeyRing } from './ssh/host-key-ring.ts';
import { openSshEntrance } from './ssh/open-ssh-entrance.ts';
import { type PortsServer, servePorts } from './workers/ports/serve-ports.ts';

export type { Gateway, GatewayOverrides, GatewayProgram };

/** Opens store, doors and engine. Throws a sentence when something cannot be opened; then nothing stays open. */
export async function startGateway(
  config: Config,
  log: Logger,
  overrides: GatewayOverrides = {},
  program: GatewayProgram = { readConfig: () => config },
): Promise<Gateway> {
  const lifecycle = createLifecycle();
  try {
    return await compose(createLiveConfig(config), log, overrides, lifecycle, program);
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

async function compose(
  live: LiveConfig,
  log: Logger,
  overrides: GatewayOverrides,
  lifecycle: Lifecycle,
  program: GatewayProgram,
): Promise<Gateway> {
  const { config } = live;
  const folders = { dataDir: config.dataDir, hostKeysDir: config.hostKeysDir };
  await finishPendingRestore(folders);
  const hostKeys = await openHostKeyRing(config.hostKeysDir);
  const adapters = await openAdapters(config, log, overrides, lifecycle, {
    shareStore: program.workers?.shareStore,
    pid: program.pid,
    memory: program.memory,
    ready: program.workers?.ready,
  });
  const ports = shareWith(program, adapters);
  const rules = createRules(config, log, ports ? { ...adapters, sessions: ports.sessions } : adapters);
  const { accounts, invites, clock, engine } = rules;

  let sshAddress: Address = { address: '', port: 0 };
  const endpoint = endpointOf(config, hostKeys.current, () => sshAddress);
  const services = servicesOf({ config, log, rules, endpoint });
  const { audit } = rules;
  lifecycle.onClose(
    watchRevocations({ ...rules, authorizer: rules.standing, onReload: live.onReplace, log }),
  );
  keepInStep(live, () => rules.containerSshd.startAutoSync(log), lifecycle);
  const readAnew = createReload(live, program.readConfig);
  const reload = async () => {
    const said = readAnew();
    await renewed;
    return said;
  };
  const endForFault = createEndForFault(log, rules.meter);
  let endReason = 'the gateway is shutting down.';
  let isDraining = false;
  const engineProblem = () =>
    engine.ping().then(
      () => undefined,
      (error: Error) => error.message,
    );
  const health = {
    ...{ config, log, meter: rules.meter },
    isDraining: () => isDraining,
    engineAnswers: async () => (await engineProblem()) === undefined,
  };
  const parts = { config, log, rules, hostKeys: hostKeys.current, endpoint, endForFault, health };
  const { workers, inheritedSockets, onListening } = program;
  const serving: Serving & Partial<WorkersServing> = workers
    ? await workers.open({
        config,
        audit,
        sshAddress: () => sshAddress,
        penalise: rules.strangerLimits.penalties.penalise,
        ports,
      })
    : await openDoors(parts);
  // Not before workers can be told of it.
  if (config.adminKeyFile !== undefined) await ensureAdminOfFile(accounts, config.adminKeyFile);
  let isHandedOver = false;
  lifecycle.onClose(async (graceMs) => {
    if (!isHandedOver) await serving.close(graceMs, endReason);
  });
  const entrance = await openSshEntrance(
    { ...rules, ...rules.strangerLimits, config, inheritedSocket: inheritedSockets?.get('ssh') },
    serving.ssh,
  );
  lifecycle.onClose(entrance.close);
  sshAddress = entrance.address;
  onListening?.('ssh', entrance.handle());
  let renewed = Promise.resolve();
  live.onReplace(() => {
    log.level = config.logLevel;
    renewed = serving.renew();
  });
  const backups = createBackups({ ...rules, folders, isDatabase: isDatabaseUrl(config.store) });
  const control = await openControlDoor({
    dataDir: config.dataDir,
    maxBodyBytes: maxBackupBytes,
    takesBody: (line) => line === 'restore',
    log,
    answer: await createOperatorLines(
      services,
      log,
      createOperatorCommands({
        makeBackup: backups.make,
        stageRestore: backups.stage,
        restart: program.restart,
        replace: program.replace,
        hostKeys,
        renewHostKeys: serving.renew,
        reload,
      }),
    ),
  });
  lifecycle.onClose(() => control.close());
  const http = await openHttp(config, { ...health, inheritedSockets, onListening, serve: serving.http });
  lifecycle.onClose((graceMs) => http?.close(graceMs));
  const metricsDoor =
    rules.metrics &&
    (await openMetrics({
      ...{ config, log, onListening },
      page: (ports?.metrics ?? rules.metrics).page,
      inheritedSocket: inheritedSockets?.get('metrics'),
    }));
  lifecycle.onClose(() => metricsDoor?.close());
  lifecycle.onClose(async (graceMs) => {
    entrance.close();
    http?.drain();
    if (!isHandedOver) await serving.close(graceMs, endReason);
  });
  await serving.begin?.({ ssh: entrance.adopt, http: () => http?.adopt() ?? (() => {}) });
  return {
    sshAddress,
    httpAddress: http?.httpAddress,
    healthAddress: http?.healthAddress,
    metricsAddress: metricsDoor?.address,
    httpScheme: config.tlsCert === undefined ? 'http' : 'https',
    hostKeys: hostKeys.current().serving,
    firstInviteCode: (await accounts.isEmpty()) ? await createFirstInvite(invites, config, clock) : undefined,
    endpoint: endpoint(),
    endForFault,
    noteFault: () => rules.meter.faultCaught('gateway'),
    engineProblem,
    async reload() {
      const act = (outcome: 'done' | 'failed') => audit.operatorActed({ what: 'reload (SIGHUP)', outcome });
      try {
        const said = await reload();
        act('done');
        return said;
      } catch (error) {
        act('failed');
        throw error;
      }
    },
    async drain(hurry = new AbortController().signal) {
      isDraining = true;
      await awaitBalancer(config.drainDelaySeconds * 1000, hurry, log);
      entrance.close();
      http?.drain();
      await serving.drain({ timeoutMs: config.drainTimeoutSeconds * 1000, hurry });
    },
    async handOver() {
      http?.drain();
      await entrance.leave();
      isHandedOver = true;
      control.leave();
      const left = await serving.leave?.();
      const metrics = (await ports?.metrics?.remembered()) ?? [];
      const gateway: GatewayMemory = { ...adapters.remember(), metrics };
      await lifecycle.close();
      return { ...(left as object), gateway };
    },
    stop(graceMs = 2_000, reason = endReason) {
      endReason = reason;
      return lifecycle.close(graceMs);
    },
  };
}

/** Where there are workers, they share what this process has. */
function shareWith({ workers, memory }: GatewayProgram, adapters: Adapters): PortsServer | undefined {
  if (!workers) return undefined;
  const { shared, metrics } = adapters;
  const listWorkers = workers.list;
  return servePorts({ ...adapters, ...shared, metrics, departedMetrics: memory?.metrics, listWorkers });
}

/** Begun again where a reload changed whose keys are kept in step. */
function keepInStep({ config, onReplace }: LiveConfig, start: () => () => void, lifecycle: Lifecycle): void {
  let stop = start();
  let sync = config.sync;
  onReplace(() => {
    if (config.sync === sync) return;
    sync = config.sync;
    stop();
    stop = start();
  });
  lifecycle.onClose(() => stop());
}

/** Loaded only where it is wanted. */
const openHttp = async ({ httpListen, healthListen }: Config, dependencies: HttpEntrancesDependencies) =>
  httpListen === undefined && healthListen === undefined
    ? undefined
    : (await import('./http/open-http-entrances.ts')).openHttpEntrances(dependencies);

const openMetrics = async (options: MetricsDoorOptions) =>
  (await import('./http/metrics-door.ts')).openMetricsDoor(options);
