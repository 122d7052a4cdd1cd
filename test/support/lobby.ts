/** The lobby with its real rules over a real store, and an engine that lists what a test gives it. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { createAccounts } from '../../src/accounts/create-accounts.ts';
import { createInvites } from '../../src/accounts/create-invites.ts';
import type { Audit } from '../../src/audit/audit.ts';
import { createAudit, logSink } from '../../src/audit/audit.ts';
import { createAuthorizer } from '../../src/auth/create-authorizer.ts';
import { gatewayPenalties } from '../../src/auth/gateway-penalties.ts';
import type { Identity } from '../../src/auth/identity.ts';
import { createPenalties } from '../../src/auth/penalties.ts';
import { createTokenAuthenticator } from '../../src/auth/token-authenticator.ts';
import { createCertificateAuthorities } from '../../src/certificate-authorities/create-certificate-authorities.ts';
import type { CommandServices } from '../../src/commands/command.ts';
import { createLobby } from '../../src/commands/lobby.ts';
import { type Config, configSchema } from '../../src/config/config.ts';
import { createContainerSshd } from '../../src/container-sshd/create-container-sshd.ts';
import { createEngines } from '../../src/engines/create-engines.ts';
import type { GatewayError } from '../../src/errors.ts';
import { createHosts } from '../../src/hosts/create-hosts.ts';
import { createKeys } from '../../src/keys/create-keys.ts';
import { createSlots } from '../../src/platform/slots.ts';
import { createForwardLogs } from '../../src/recordings/forward-logs.ts';
import { createSecondFactors } from '../../src/second-factor/create-second-factors.ts';
import { createConnections } from '../../src/sessions/create-connections.ts';
import { openTarget } from '../../src/sessions/create-run-session.ts';
import { createRecordSession } from '../../src/sessions/record-session.ts';
import type { SessionHandler, SessionStart } from '../../src/sessions/session.ts';
import { localSessions } from '../../src/sessions/session-directory.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createTargetDirectory } from '../../src/targets/create-target-directory.ts';
import type { ContainerTarget } from '../../src/targets/target.ts';
import { createApiKeys } from '../../src/tokens/api-keys.ts';
import { createHandles } from '../../src/tokens/handles.ts';
import { hostEngineOf } from './host-engine.ts';
import { container, hostsOf, identityOf, listedEngine, putAccount, putKey, startOfTests } from './people.ts';
import { openOwnRecordings } from './recordings.ts';
import { context, type Finished, runSession, type StartOptions, startSession } from './session-io.ts';

export interface LobbyOptions {
  readonly containers?: ContainerTarget[];
  readonly store?: Store;
  readonly config?: Partial<Config>;
}

export const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';

const recordingLimits = { maxFileBytes: 1024 * 1024, maxBytes: 0, keptMs: 0 };

export type TestLobby = Awaited<ReturnType<typeof openLobby>>;

export async function openLobby(options: LobbyOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-lobby-'));
  const clock = { now: () => startOfTests };
  const config: Config = configSchema.parse({ domain: 'gw.example.com', ...options.config });
  const store = options.store ?? (await openLowdbStore({ dataDir: folder }));
  const { engine, asked, breakWith } = listedEngine(options.containers ?? []);
  const shownHostKeys = [hostKey];
  let scanFault: GatewayError | undefined;
  const lines: Record<string, unknown>[] = [];
  const log: Logger = pino(
    { level: 'trace' },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const audit: Audit = createAudit(logSink(log));
  const authorizer = createAuthorizer({ store, clock, config });
  const targets = createTargetDirectory({ engine, hosts: hostsOf(store), authorizer, config });
  const accounts = createAccounts({ store, clock });
  const keys = createKeys({ store, clock, maxKeysPerAccount: config.maxKeysPerAccount });
  const secondFactors = createSecondFactors({ store, clock, issuer: config.domain, rememberHours: 0 });
  const handles = createHandles({ store, clock });
  const { domain } = config;
  const hostEngine = hostEngineOf({ ...config, dataDir: folder });
  const recordings = openOwnRecordings({ dataDir: folder, log, clock, limits: recordingLimits });
  const rules = { input: config.recordingInput, maxExecBytes: config.recordingExecBytes };
  const recordSession = createRecordSession({ recordings, audit, log, rules });
  const recorders = { recordSession, forwardLogs: createForwardLogs(recordings) };
  const routes = { authorizer, targets, engine, hostEngine, recordSession };
  const slots = createSlots();
  const connections = createConnections();
  const services: CommandServices = {
    config,
    clock,
    store,
    authorizer,
    targets,
    engine,
    engines: createEngines({ store, clock, dataDir: folder, tryEngine: async () => {} }),
    containerSshd: createContainerSshd({ engine, store, clock, slots, config }),
    audit,
    accounts,
    handles,
    apiKeys: createApiKeys({ store, clock, handles, maxKeysPerAccount: config.maxKeysPerAccount, domain }),
    tokens: createTokenAuthenticator({ accounts, keys, handles, secondFactors, clock, domain }),
    invites: createInvites({ store, clock }),
    keys,
    hosts: createHosts({
      store,
      clock,
      dataDir: folder,
      targetPrefix: config.targetPrefix,
      isContainerName: async (name) => (options.containers ?? []).some((each) => each.name === name),
      scanHost: async () => {
        if (scanFault) throw scanFault;
        return [...shownHostKeys];
      },
    }),
    egressKey: async () => ({ publicKey: hostKey, fingerprint: 'SHA256:x' }),
    certificateAuthorities: createCertificateAuthorities({ store, clock }),
    secondFactors,
    sessions: localSessions(connections),
    connections,
    flushAudit: async () => {},
    recordings,
    penalties: gatewayPenalties(
      createPenalties({ config, clock, isExempt: () => false, onActive: () => {} }),
    ),
    endpoint: () => ({ host: config.domain, port: 2222, hostKeys: [hostKey] }),
    openTarget: (target, user) => async (request, io, session) => {
      const routed = await openTarget(routes, session.identity, target, user);
      return routed.handler(request, io, session);
    },
  };
  const lobby = await createLobby(services, log);

  const handlerAs =
    (identity: Identity, loginName: string): SessionHandler =>
    (request, io) =>
      lobby(request, io, { ...context, identity, loginName });
  return {
    services,
    recorders,
    connections,
    slots,
    engine,
    hostEngine,
    log,
    lobby,
    asked,
    breakWith,
    /** What every registered host shows. */
    shownHostKeys,
    failScan: (fault: GatewayError) => {
      scanFault = fault;
    },
    folder,
    /** Lines of the log, the audit's among them. */
    logged: () => lines,
    /** Runs one line, or a shell or subsystem, to its end. */
    run: (
      identity: Identity,
      start: string | SessionStart,
      { loginName = 'someone', ...session }: StartOptions & { loginName?: string } = {},
    ): Promise<Finished> => runSession(handlerAs(identity, loginName), start, session),
    start: (identity: Identity, start: string | SessionStart, session: StartOptions = {}) =>
      startSession(handlerAs(identity, 'someone'), start, session),
    close: async () => {
      await recordings.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type PeopledLobby = Awaited<ReturnType<typeof openPeopledLobby>>;

/** With containers web (of olga, a member) and db (of nobody), and an admin, ada. */
export async function openPeopledLobby() {
  const containers = [container('web', { labels: { 'rexec.owner': 'olga' } }), container('db')];
  const lobby = await openLobby({ containers });
  const { store } = lobby.services;
  const olga = await putAccount(store, 'olga', 'member', { email: 'olga@example.com' });
  const ada = await putAccount(store, 'ada', 'admin');
  const owner = identityOf(olga, await putKey(store, olga, 'laptop'));
  const admin = identityOf(ada, await putKey(store, ada, 'desk'));
  /** The JSON a line answers with: one line of it. */
  const json = async (identity: Identity, line: string, stdin = '') => {
    const result = await lobby.run(identity, `${line} --json`, { stdin });
    if (!/^[^\n]+\n$/.test(result.stdout)) throw new Error(`not one line: ${JSON.stringify(result.stdout)}`);
    return { ...result, status: statusOf(result), data: JSON.parse(result.stdout) };
  };
  return { ...lobby, olga, owner, admin, json };
}

/** A fresh public key, as a line of a .pub file. */
export function makePublicKey(comment = 'test'): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]);
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}`;
}

/** The status a session ended with; -1 for a signal. */
export const statusOf = ({ end }: Finished) => ('exitStatus' in end ? end.exitStatus : -1);
