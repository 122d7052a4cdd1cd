/**
 * The composition root: the one place that knows which adapter stands behind which port. Opened in the
 * order things depend on each other, closed in the reverse order.
 */
import type { Logger } from 'pino';
import { createFirstInvite, ensureAdminOfFile } from './accounts/first-admin.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { withSecondFactor } from './auth/second-step.ts';
import { maxBackupBytes } from './backup/archive.ts';
import { createCallLine } from './commands/call-line.ts';
import type { CommandServices, Endpoint } from './commands/command.ts';
import { createLobby } from './commands/lobby.ts';
import type { Config } from './config/config.ts';
import { createLiveConfig, type LiveConfig } from './config/live-config.ts';
import { createReload } from './config/reload.ts';
import { openControlDoor } from './control/control-door.ts';
import { createOperatorCommands } from './control/operator-commands.ts';
import { createOperatorLines } from './control/operator-lines.ts';
import { createBackups, finishPendingRestore } from './gateway-backup.ts';
import type { Gateway, GatewayProgram } from './gateway-facade.ts';
import { type GatewayOverrides, type Lifecycle, openRules, type Rules } from './gateway-rules.ts';
import type { MetricsPage } from './http/metrics-door.ts';
import type { HttpDoors, HttpDoorsDependencies } from './http/open-http-doors.ts';
import { createEndForFault } from './metrics/end-for-fault.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { version } from './platform/version.ts';
import { addUntilExpiry } from './sessions/connection-expiry.ts';
import { createForwards } from './sessions/create-forwards.ts';
import { createRunSession } from './sessions/create-run-session.ts';
import { drain } from './sessions/drain.ts';
import { createInnerSession } from './sessions/inner-session.ts';
import { createJoin } from './sessions/join.ts';
import { createReachWeb } from './sessions/reach-web.ts';
import { watchRevocations } from './sessions/revocation.ts';
import type { Address } from './sessions/session.ts';
import { openHostKeyRing } from './ssh/host-key-ring.ts';
import { openSshEntrance } from './ssh/open-ssh-entrance.ts';
import { createSshDoor } from './ssh/ssh-door.ts';

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
  const rules = await openRules(config, log, overrides, lifecycle);
  const { accounts, invites, clock, engine } = rules;
  if (config.adminKeyFile !== undefined) await ensureAdminOfFile(accounts, config.adminKeyFile);

  let sshAddress: Address = { address: '', port: 0 };
  const endpoint = (): Endpoint => ({
    host: config.domain,
    port: config.publicPort ?? sshAddress.port,
    hostKeys: hostKeys.current().announced.map((key) => key.publicKey),
    hostAuthorities: [
      ...new Set(hostKeys.current().announced.flatMap(({ certificate }) => certificate?.authority ?? [])),
    ],
  });
  const services: CommandServices = {
    ...rules,
    config,
    endpoint,
    openTarget: createInnerSession({ ...rules, log, config }),
  };
  const { connections, audit } = rules;
  lifecycle.onClose(
    watchRevocations({ ...rules, authorizer: rules.standing, onReload: live.onReplace, log }),
  );
  keepInStep(live, () => rules.containerSshd.startAutoSync(log), lifecycle);
  const reload = createReload(live, program.readConfig);
  const prefixed = { ...rules, targetPrefix: config.targetPrefix };
  const endForFault = createEndForFault(log, rules.meter);
  let endReason = 'the gateway is shutting down.';
  const ssh = createSshDoor({
    config,
    version,
    hostKeys: hostKeys.current,
    authenticator: withSecondFactor(createAuthenticator(rules), rules.secondFactors),
    runSession: createRunSession({
      ...rules,
      log,
      lobby: await createLobby(services, log),
      join: createJoin({ invites, audit, endpoint }),
      targetPrefix: config.targetPrefix,
      get maxSessionsPerAccount() {
        return config.maxSessionsPerAccount;
      },
    }),
    ...createForwards(prefixed),
    addConnection: addUntilExpiry(connections, clock),
    audit,
    meter: rules.meter,
    onFault: endForFault,
    log,
  });
  lifecycle.onClose((graceMs) => ssh.close(graceMs, endReason));
  const inheritedSocket = program.inheritedSockets?.get('ssh');
  const entrance = await openSshEntrance(
    { ...rules, ...rules.strangerLimits, config, inheritedSocket },
    ssh.serve,
  );
  lifecycle.onClose(entrance.close);
  sshAddress = entrance.address;
  program.onListening?.('ssh', entrance.handle());
  live.onReplace(() => {
    log.level = config.logLevel;
    // Made anew with the keepalive of now.
    ssh.renewHostKeys();
  });
  const backups = createBackups({ ...rules, folders });
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
        renewHostKeys: ssh.renewHostKeys,
        reload,
      }),
    ),
  });
  lifecycle.onClose(() => control.close());
  const engineProblem = () =>
    engine.ping().then(
      () => undefined,
      (error: Error) => error.message,
    );
  let isDraining = false;
  const http = await openHttp(config, {
    ...rules,
    tokens: rules.strangerTokens,
    config,
    log,
    services,
    reachWeb: createReachWeb(prefixed),
    isDraining: () => isDraining,
    inheritedSockets: program.inheritedSockets,
    engineAnswers: async () => (await engineProblem()) === undefined,
  });
  lifecycle.onClose((graceMs) => http?.close(graceMs));
  const metricsDoor = rules.metrics && (await openMetrics(config, log, rules.metrics.page));
  lifecycle.onClose(() => metricsDoor?.close());
  // Before any door closes: whoever is connected by whichever is told.
  lifecycle.onClose(() => {
    for (const connection of connections.listConnections()) {
      connections.closeConnection(connection, endReason);
    }
  });

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
    reload: () => {
      const act = (outcome: 'done' | 'failed') => audit.operatorActed({ what: 'reload (SIGHUP)', outcome });
      try {
        const said = reload();
        act('done');
        return said;
      } catch (error) {
        act('failed');
        throw error;
      }
    },
    async drain(hurry = new AbortController().signal) {
      isDraining = true;
      entrance.close();
      // What runs by HTTP is in the registry; who only sends slowly is not waited for.
      const doors = [ssh, { drain: () => http?.drain(), isEmpty: true }];
      await drain({ connections, doors, log }, { timeoutMs: config.drainTimeoutSeconds * 1000, hurry });
    },
    stop(graceMs = 2_000, reason = endReason) {
      endReason = reason;
      return lifecycle.close(graceMs);
    },
  };
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

/** Loaded only where it is wanted: fastify costs a tenth of a second of the start. */
async function openHttp(
  { httpListen, healthListen }: Config,
  dependencies: Omit<HttpDoorsDependencies, 'callLine' | 'addConnection'> &
    Pick<Rules, 'connections'> & { readonly services: CommandServices },
): Promise<HttpDoors | undefined> {
  if (httpListen === undefined && healthListen === undefined) return undefined;
  const { openHttpDoors } = await import('./http/open-http-doors.ts');
  const { addDialects } = await import('./dialects/add-dialects.ts');
  const { services, log, connections, clock } = dependencies;
  return openHttpDoors({
    ...dependencies,
    addRoutes: addDialects,
    callLine: await createCallLine(services, log),
    addConnection: addUntilExpiry(connections, clock),
  });
}

const openMetrics = async (config: Config, log: Logger, page: MetricsPage) =>
  (await import('./http/metrics-door.ts')).openMetricsDoor({ config, log, page });
