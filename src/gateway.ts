/**
 * The composition root: the one place that knows which adapter stands behind which port. Opened in the
 * order things depend on each other, closed in the reverse order.
 */
import type { Logger } from 'pino';
import { createFirstInvite, ensureAdminOfFile } from './accounts/first-admin.ts';
import { createRestores } from './backup/restores.ts';
import type { Config } from './config/config.ts';
import { createLiveConfig, type LiveConfig } from './config/live-config.ts';
import { isGatewayError } from './errors.ts';
import { type Adapters, openAdapters } from './gateway-adapters.ts';
import { finishPendingRestore } from './gateway-backup.ts';
import { type DoorsDependencies, endpointOf, openDoors } from './gateway-doors.ts';
import {
  createClosing,
  createEnding,
  createPhase,
  type GatewayServing,
  type Phase,
} from './gateway-ending.ts';
import type { Gateway, GatewayProgram } from './gateway-facade.ts';
import { audited, createRenewal, openControl } from './gateway-operator.ts';
import type { GatewayOverrides, Lifecycle } from './gateway-ports.ts';
import { createRules } from './gateway-rules.ts';
import type { HttpEntrancesDependencies } from './http/open-http-entrances.ts';
import { createEndForFault } from './metrics/end-for-fault.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { watchRevocations } from './sessions/revocation.ts';
import type { Address } from './sessions/session.ts';
import { openHostKeyRing } from './ssh/host-key-ring.ts';
import { openSshEntrance, type SshEntrance } from './ssh/open-ssh-entrance.ts';
import { readClient } from './ssh/read-client.ts';
import type { JoinedEngine } from './targets/joined-engine.ts';
import { type PortsServer, servePorts } from './workers/ports/serve-ports.ts';

export type { Gateway, GatewayOverrides, GatewayProgram };

type OwnRules = ReturnType<typeof createRules<Adapters>>;

/** What doors and entrances are opened with. */
interface Parts extends DoorsDependencies {
  readonly rules: OwnRules;
}

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
  const { inheritedSockets, onListening } = program;
  const { hostKeys, adapters, ports, rules } = await openMiddle(live, log, overrides, lifecycle, program);
  const phase = createPhase();
  let sshAddress: Address = { address: '', port: 0 };
  const endpoint = endpointOf(config, hostKeys.current, () => sshAddress);
  const endForFault = createEndForFault(log, rules.meter);
  const health = healthOf(rules, config, log, phase);
  const parts = { config, log, rules, hostKeys: hostKeys.current, endpoint, endForFault, health };
  const serving = await openServing(parts, program, ports, () => sshAddress);
  const closeServing = createClosing(serving, phase);
  lifecycle.onClose(closeServing);
  // Not before workers can be told of it.
  await ensureAdmin(parts, program);
  const entrance = await openEntrance(parts, program, serving);
  lifecycle.onClose(entrance.close);
  sshAddress = entrance.address;
  onListening?.('ssh', entrance.handle());
  const { renew } = serving;
  const reload = createRenewal({ live, log, readConfig: program.readConfig, hostKeys, renew });
  const restores = createRestores(program.restart);
  const control = await openControl(parts, program, restores, { hostKeys, renewHostKeys: renew, reload });
  lifecycle.onClose(() => control.close());
  const { shared } = rules.strangerLimits;
  const http = await openHttp(config, {
    ...health,
    inheritedSockets,
    onListening,
    shared,
    serve: serving.http,
  });
  lifecycle.onClose((graceMs) => http?.close(graceMs));
  const metrics = await openMetrics(parts, program, ports);
  lifecycle.onClose(() => metrics?.close());
  lifecycle.onClose(async (graceMs) => {
    entrance.close();
    http?.drain();
    await closeServing(graceMs);
  });
  await serving.begin?.({ ssh: entrance.adopt, http: (source) => http?.adopt(source) ?? (() => {}) });
  phase.hasBegun = true;
  const remember = async () => {
    const counted = (await ports?.metrics?.remembered()) ?? [];
    return { ...adapters.remember(), metrics: counted };
  };
  return {
    ...{ sshAddress, httpAddress: http?.httpAddress, healthAddress: http?.healthAddress },
    metricsAddress: metrics?.address,
    ...(await factsOf(parts, program)),
    ...{ endForFault, noteFault: () => rules.meter.faultCaught('gateway') },
    engineProblem: () => problemOf(rules.engine),
    reload: audited(reload, rules.audit),
    isRestored: restores.settled,
    ...createEnding({ config, log, lifecycle, phase, serving, entrance, http, control, remember }),
  };
}

/** What the doors stand on, and what goes on without anybody at one. */
async function openMiddle(
  live: LiveConfig,
  log: Logger,
  overrides: GatewayOverrides,
  lifecycle: Lifecycle,
  program: GatewayProgram,
) {
  const { config } = live;
  await finishPendingRestore(config);
  const hostKeys = await openHostKeyRing(config.hostKeysDir);
  const adapters = await openAdapters(config, log, overrides, lifecycle, {
    shareStore: program.workers?.shareStore,
    pid: program.pid,
    memory: program.memory,
    ready: program.workers?.ready,
  });
  const ports = shareWith(program, adapters);
  const rules = createRules(config, log, ports ? { ...adapters, sessions: ports.sessions } : adapters);
  lifecycle.onClose(
    watchRevocations({ ...rules, authorizer: rules.standing, onReload: live.onReplace, log }),
  );
  keepInStep(live, () => rules.containerSshd.startAutoSync(log), lifecycle);
  return { hostKeys, adapters, ports, rules };
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

/** The doors are this process', or its workers'. */
async function openServing(
  parts: Parts,
  { workers }: GatewayProgram,
  ports: PortsServer | undefined,
  sshAddress: () => Address,
): Promise<GatewayServing> {
  if (!workers) return openDoors(parts);
  const { audit, strangerLimits } = parts.rules;
  const { penalise } = strangerLimits.penalties;
  const { isDraining } = parts.health;
  return workers.open({ config: parts.config, audit, sshAddress, isDraining, penalise, ports });
}

/** What is wrong with it keeps a gateway from starting; one that follows another goes on, for all others' sake. */
async function ensureAdmin({ config, log, rules }: Parts, { follows }: GatewayProgram): Promise<void> {
  if (config.adminKeyFile === undefined) return;
  await ensureAdminOfFile(rules.accounts, config.adminKeyFile).catch((error: unknown) => {
    if (!follows || !isGatewayError(error)) throw error;
    log.error(`${error.message} The gateway goes on with the accounts that there are.`);
  });
}

const problemOf = (engine: Pick<JoinedEngine, 'ping'>) =>
  engine.ping().then(
    () => undefined,
    (error: Error) => error.message,
  );

const healthOf = ({ engine, meter }: OwnRules, config: Config, log: Logger, phase: Phase) => ({
  ...{ config, log, meter },
  isDraining: () => phase.isDraining,
  engineAnswers: async () => (await problemOf(engine)) === undefined,
});

function openEntrance(
  { config, rules }: Parts,
  { inheritedSockets }: GatewayProgram,
  serving: GatewayServing,
): Promise<SshEntrance> {
  const inheritedSocket = inheritedSockets?.get('ssh');
  // A worker sees to that for those that it is passed.
  const readAs = serving.begin ? undefined : readClient;
  return openSshEntrance({ ...rules, ...rules.strangerLimits, config, inheritedSocket, readAs }, serving.ssh);
}

/** What the program round the gateway says of it. */
async function factsOf({ config, rules, hostKeys, endpoint }: Parts, { follows }: GatewayProgram) {
  const { accounts, invites, clock } = rules;
  const wantsInvite = !follows && (await accounts.isEmpty());
  return {
    httpScheme: config.tlsCert === undefined ? 'http' : 'https',
    hostKeys: hostKeys().serving,
    firstInviteCode: wantsInvite ? await createFirstInvite(invites, config, clock) : undefined,
    endpoint: endpoint(),
  } as const;
}

/** Loaded only where it is wanted. */
const openHttp = async ({ httpListen, healthListen }: Config, dependencies: HttpEntrancesDependencies) =>
  httpListen === undefined && healthListen === undefined
    ? undefined
    : (await import('./http/open-http-entrances.ts')).openHttpEntrances(dependencies);

async function openMetrics(
  { config, log, rules }: Parts,
  { onListening, inheritedSockets }: GatewayProgram,
  ports: PortsServer | undefined,
) {
  if (!rules.metrics) return undefined;
  const { openMetricsDoor } = await import('./http/metrics-door.ts');
  const { page } = ports?.metrics ?? rules.metrics;
  return openMetricsDoor({
    config,
    log,
    onListening,
    page,
    inheritedSocket: inheritedSockets?.get('metrics'),
  });
}
