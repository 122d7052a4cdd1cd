/** A gateway under test: the real thing in this process, on a free port, with a folder of its own. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { currentFile } from '../../src/audit/audit-files.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { type Gateway, type GatewayOverrides, startGateway } from '../../src/gateway.ts';
import { giveHostKeys } from './host-keys.ts';
import { type KeyPair, makeKeyPair, type SshOptions, ssh, writeKnownHosts } from './ssh-client.ts';
import { dropStoreOf, storeOf } from './store-under-test.ts';

export interface TestGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly knownHosts: string;
  /** Of its own, for whatever a test puts there: it goes with the gateway. */
  readonly folder: string;
  readonly dataDir: string;
  readonly hostKeysDir: string;
  /** The key of the account `admin`. */
  readonly admin: KeyPair;
  /** Log lines so far, parsed. */
  readonly logged: () => readonly Record<string, unknown>[];
  /** Runs `ssh` as the admin unless `key` says otherwise. */
  readonly ssh: (command?: string, options?: SshOptions) => ReturnType<typeof ssh>;
  /** Makes an account with a fresh key. */
  readonly addMember: (name: string, role?: 'member' | 'admin') => Promise<KeyPair>;
  /** With these values beside those that it began with, as after a SIGHUP. */
  readonly reconfigure: (values: Record<string, unknown>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface TestGatewayOptions {
  readonly config?: Record<string, unknown>;
  readonly overrides?: GatewayOverrides;
  /** Reuses folders of an earlier one. */
  readonly folders?: { dataDir: string; hostKeysDir: string };
  readonly admin?: KeyPair;
}

export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-gateway-'));
  const dataDir = options.folders?.dataDir ?? join(folder, 'data');
  const hostKeysDir = await giveHostKeys(options.folders?.hostKeysDir ?? join(folder, 'hostkeys'));
  const admin = options.admin ?? (await makeKeyPair());
  const flags = {
    sshListen: '127.0.0.1:0',
    dataDir,
    store: await storeOf(dataDir),
    hostKeysDir,
    adminKeyFile: `${admin.file}.pub`,
    logLevel: 'debug',
    // The engine is shared: another test's containers are not this one's to keep in step.
    sync: 'off',
    // Friend and foe of a test share one address; penalties have tests of their own, which leave them on.
    perSourcePenaltyExemptList: ['127.0.0.0/8'],
    ...options.config,
  };
  let { config } = loadConfig({ env: {}, flags });
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: config.logLevel },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  );
  const gateway = await startGateway(config, log, options.overrides, { readConfig: () => config });
  const { port } = gateway.sshAddress;
  const knownHosts = await writeKnownHosts(
    port,
    gateway.hostKeys.map((key) => key.publicKey),
  );
  const target = { port, knownHosts };
  return {
    gateway,
    port,
    knownHosts,
    folder,
    dataDir,
    hostKeysDir,
    admin,
    logged: () => lines,
    ssh: (command, sshOptions = {}) => ssh(target, command, { key: admin, ...sshOptions }),
    addMember: async (name, role = 'member') => {
      const key = await makeKeyPair();
      const invited = await ssh(target, `invite create --name=${name} --role=${role} --json`, { key: admin });
      const { code } = JSON.parse(invited.text) as { code: string };
      const joined = await ssh(target, 'join', { key, login: `join+${code}` });
      if (joined.status !== 0) throw new Error(`join failed: ${joined.stderr}`);
      return key;
    },
    reconfigure: async (values) => {
      ({ config } = loadConfig({ env: {}, flags: { ...flags, ...values } }));
      await gateway.reload();
    },
    stop: async () => {
      await gateway.stop();
      refuseTokensIn(lines);
      const audit = await readFile(currentFile(dataDir), 'utf8').catch(() => '');
      refuseTokensIn(audit.split('\n').map((line) => ({ line })));
      if (!options.folders) await dropStoreOf(dataDir);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whatever a test did: its gateway's log, the audit with it, holds no token at the end. */
function refuseTokensIn(lines: readonly Record<string, unknown>[]): void {
  const found = lines.find((line) => /exe1\.[a-z2-7]{32}|exe0\.[\w-]+\.[\w-]{16}/.test(JSON.stringify(line)));
  if (found) throw new Error(`a token stands in the log: ${JSON.stringify(found)}`);
}

/** Writes `content` into a fresh file and returns its path. */
export async function temporaryFile(name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-file-'));
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}
