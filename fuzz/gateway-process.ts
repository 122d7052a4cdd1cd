/** A gateway without an engine, in a process of its own: what it logs of its own faults goes to its parent, as it comes. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../src/config/load-config.ts';
import { startGateway } from '../src/gateway.ts';
import { makeKeyPair, ssh, writeKnownHosts } from '../test/support/ssh-client.ts';
import { memoryAfterCollection } from './memory.ts';

export interface GatewayFacts {
  readonly port: number;
  readonly httpPort: number;
  /** Of an ordinary member: the file of the private key, and an API key. */
  readonly memberKey: string;
  readonly apiKey: string;
  readonly folder: string;
}

/** To the parent. The facts come once, when it listens. */
export type FromGateway =
  | { readonly facts: GatewayFacts }
  | { readonly fault: string }
  | { readonly memory: Awaited<ReturnType<typeof memoryAfterCollection>> };

const say = (message: FromGateway) => void process.send?.(message);

/** What a peer does is logged below this, unless it met a fault of ours. */
const warn = 40;
const error = 50;

function tellFaults(line: string): void {
  const { level, msg, err, reason } = JSON.parse(line) as Record<string, unknown>;
  // A connection that failed, and not by its peer's doing.
  const isOurs = Number(level) >= error || (Number(level) >= warn && msg === 'connection failed');
  if (isOurs) say({ fault: JSON.stringify({ msg, reason, err }) });
}

let isReady = false;
process.on('uncaughtException', (fault) => {
  say({ fault: `uncaught: ${fault.stack}` });
  if (!isReady) process.exit(1);
});

const folder = await mkdtemp(join(tmpdir(), 'postern-fuzzed-'));
const admin = await makeKeyPair();
const { config } = loadConfig({
  env: {},
  flags: {
    sshListen: '127.0.0.1:0',
    httpListen: '127.0.0.1:0',
    domain: 'gw.example',
    dataDir: join(folder, 'data'),
    hostKeysDir: join(folder, 'hostkeys'),
    adminKeyFile: `${admin.file}.pub`,
    docker: `unix://${join(folder, 'no-engine.sock')}`,
    sync: 'off',
    logLevel: 'warn',
    // All come from one address, and many never log in: what bounds that has tests of its own.
    perSourceMaxStartups: 5_000,
    maxStartups: { start: 5_000, ratePercent: 100, full: 5_000 },
    perSourcePenalties: false,
    tokenRatePerSecond: 100_000,
    tokenRateBurst: 100_000,
    auditFileBytes: 1024 * 1024,
    auditKeptFiles: 1,
  },
});
const gateway = await startGateway(config, pino({ level: 'warn' }, { write: tellFaults }));
const { port } = gateway.sshAddress;
const knownHosts = await writeKnownHosts(
  port,
  gateway.hostKeys.map(({ publicKey }) => publicKey),
);
const asked = async (command: string, key: typeof admin, login?: string) => {
  const answer = await ssh({ port, knownHosts }, command, { key, ...(login ? { login } : {}) });
  if (answer.status !== 0) throw new Error(`${command}: ${answer.stderr}`);
  return answer.text;
};
const member = await makeKeyPair();
const { code } = JSON.parse(await asked('invite create --name=fuzz --json', admin)) as { code: string };
await asked('join', member, `join+${code}`);
const { token } = JSON.parse(await asked('ssh-key generate-api-key --json', member)) as { token: string };
isReady = true;
process.on('message', () => void memoryAfterCollection().then((memory) => say({ memory })));
process.on('disconnect', () => process.exit(0));
say({
  facts: {
    ...{ port, folder, memberKey: member.file, apiKey: token },
    httpPort: gateway.httpAddress?.port ?? 0,
  },
});
