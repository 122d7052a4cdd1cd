/** What `postern serve` begins with, in one process or as a supervisor: its flags, the configuration and the log. */
import { type Logger, pino } from 'pino';
import type { Options } from 'yargs';
import type { Config } from '../config/config.ts';
import { flagOfKey, type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { hasNativeCrypto } from '../ssh/native-crypto.ts';
import { parseFlags } from './parse-flags.ts';
import type { Terminal } from './run-cli.ts';

/** Each is a configuration key, but for --config. */
const flags = {
  'ssh-listen': { type: 'string', describe: 'HOST:PORT for SSH (default 0.0.0.0:2222)' },
  'http-listen': {
    type: 'string',
    describe: 'HOST:PORT for POST /exec and the web servers of containers (default: off)',
  },
  'tls-cert': { type: 'string', describe: 'certificate (PEM) of the HTTP listener, which then speaks TLS' },
  'tls-key': { type: 'string', describe: 'its private key (PEM)' },
  'http-insecure': {
    type: 'boolean',
    describe: 'a proxy in front does TLS: HTTP off loopback is allowed without',
  },
  'health-listen': { type: 'string', describe: 'HOST:PORT for /healthz and /readyz alone (default: off)' },
  'metrics-listen': { type: 'string', describe: 'HOST:PORT for /metrics, for Prometheus (default: off)' },
  'metrics-off-loopback': { type: 'boolean', describe: 'other machines may read the metrics' },
  store: {
    type: 'string',
    describe: 'postgres://USER@HOST/DATABASE, which several gateways share (default: a file in --data)',
  },
  data: { type: 'string', describe: 'folder of all else that is kept, and of that file (default ./data)' },
  hostkeys: { type: 'string', describe: 'folder of the host keys (default ./hostkeys)' },
  'admin-key': { type: 'string', describe: 'public key file of the account "admin", made if missing' },
  docker: { type: 'string', describe: 'Docker Engine: unix:///PATH or tcp://HOST:PORT' },
  domain: { type: 'string', describe: "the gateway's own name, as people type it (default localhost)" },
  'public-port': { type: 'number', describe: 'the port people connect to, if not the one listened on' },
  containers: {
    choices: ['all', 'labelled'] as const,
    describe: 'which containers are targets (default all)',
  },
  workers: {
    type: 'number',
    describe: 'processes that serve connections (default: one for each core; 0: all is one process)',
  },
  config: { type: 'string', describe: 'JSON file of configuration keys (flags win over it)' },
  'drain-delay': {
    type: 'number',
    describe:
      'seconds that people are still let in after SIGTERM, for a balancer to look elsewhere (default 0)',
  },
  'drain-timeout': {
    type: 'number',
    describe: 'seconds that sessions have to end by themselves after SIGTERM (default 30)',
  },
  'log-level': {
    type: 'string',
    describe: 'fatal, error, warn, info, debug, trace or silent (default info)',
  },
} as const satisfies Record<(typeof flagOfKey)[keyof typeof flagOfKey] | 'config', Options>;

const usage = '[FLAGS]\n\nRuns the gateway. Each configuration key is also a variable: POSTERN_SSH_LISTEN …';

export interface ServeSetup {
  readonly config: Config;
  readonly log: Logger;
  /** Throws invalid-config. */
  readonly readConfig: () => Config;
  /** Where that fails, the last one that could be used: for when it must be had without fail. */
  readonly readConfigOrLast: () => Config;
}

/**
 * Undefined where help was wanted, and printed. `inForce`: what one before had, and serves where what is read now has
 * a mistake. Throws usage, and invalid-config where there is none.
 */
export async function setUpServe(
  args: readonly string[],
  terminal: Terminal,
  inForce?: Config,
): Promise<ServeSetup | undefined> {
  const parsed = await parseFlags(args, { name: 'postern serve', usage, flags }, terminal);
  if (!parsed) return undefined;
  const load = (): LoadedConfig =>
    loadConfig({
      env: terminal.env,
      ...(parsed.flags.config === undefined ? {} : { file: parsed.flags.config }),
      flags: Object.fromEntries(Object.entries(flagOfKey).map(([key, flag]) => [key, parsed.flags[flag]])),
    });
  const read = keepingLast(load, inForce);
  const { config, unknownVariables, problem } = read.anewOrLast();
  const log = pino({ level: config.logLevel }, logDestination());
  if (problem !== undefined) log.error(problem);
  for (const variable of unknownVariables)
    log.warn(`the variable ${variable} is not a configuration key and was ignored`);
  return {
    config,
    log,
    readConfig: () => read.anew().config,
    readConfigOrLast: () => {
      const { config: usable, problem: since } = read.anewOrLast();
      if (since !== undefined) log.error(since);
      return usable;
    },
  };
}

interface Loaded extends LoadedConfig {
  readonly problem?: string;
}

/** Reads the configuration, and remembers the last one that could be used, for when it must be had without fail. */
function keepingLast(load: () => LoadedConfig, first?: Config) {
  let last = first;
  const anew = (): Loaded => {
    const loaded = load();
    last = loaded.config;
    return loaded;
  };
  const anewOrLast = (): Loaded => {
    try {
      return anew();
    } catch (error) {
      if (!last) throw error;
      const problem = `${(error as Error).message} The configuration in force stays as it was.`;
      return { config: last, unknownVariables: [], problem };
    }
  };
  return { anew, anewOrLast };
}

const maxUnwrittenLogBytes = 16 * 1024 * 1024;

/**
 * Stderr for the log. A disk that is full, or a pipe that nobody reads, loses lines and nothing else: unheard,
 * pino's error would end the process, and its last flush would try for ever.
 */
export function logDestination() {
  const destination = pino.destination({ fd: 2, sync: false, maxLength: maxUnwrittenLogBytes });
  destination.on('error', () => {});
  destination.flushSync = () => {};
  return destination;
}

export function warnOfSlowCrypto({ stderr }: Terminal): void {
  if (hasNativeCrypto()) return;
  stderr.write(
    'postern: warning: the native crypto of ssh2 is not built, transfers will be slow; with g++, make and python3 installed, run "npm run native" in its folder ("npm rebuild postern" where it is a dependency).\n',
  );
}
