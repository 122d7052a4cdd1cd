/** `postern serve`: flags to config, then a gateway until a signal ends it. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import type { Options } from 'yargs';
import type { Config } from '../config/config.ts';
import { flagOfKey, type LoadedConfig, loadConfig } from '../config/load-config.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { takeFaultOwner } from '../platform/fault-owner.ts';
import { hasNativeCrypto } from '../ssh/native-crypto.ts';
import { announce } from './announce.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand, Terminal } from './run-cli.ts';
import { createServiceManager, takeInheritedSockets } from './service-manager.ts';
import { awaitSignals, reloadAtHangup, sameSignalMs } from './signals.ts';

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
  data: { type: 'string', describe: 'folder of the store (default ./data)' },
  hostkeys: { type: 'string', describe: 'folder of the host keys (default ./hostkeys)' },
  'admin-key': { type: 'string', describe: 'public key file of the account "admin", made if missing' },
  docker: { type: 'string', describe: 'Docker Engine: unix:///PATH or tcp://HOST:PORT' },
  domain: { type: 'string', describe: "the gateway's own name, as people type it (default localhost)" },
  'public-port': { type: 'number', describe: 'the port people connect to, if not the one listened on' },
  containers: {
    choices: ['all', 'labelled'] as const,
    describe: 'which containers are targets (default all)',
  },
  config: { type: 'string', describe: 'JSON file of configuration keys (flags win over it)' },
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

export const serve: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(args, { name: 'postern serve', usage, flags }, terminal);
  if (!parsed) return 0;
  const readConfig = (): LoadedConfig =>
    loadConfig({
      env: terminal.env,
      ...(parsed.flags.config === undefined ? {} : { file: parsed.flags.config }),
      flags: Object.fromEntries(Object.entries(flagOfKey).map(([key, flag]) => [key, parsed.flags[flag]])),
    });
  const { config, unknownVariables } = readConfig();
  const log = pino({ level: config.logLevel }, logDestination());
  for (const variable of unknownVariables)
    log.warn(`the variable ${variable} is not a configuration key and was ignored`);
  const signals = awaitSignals();
  let restart = () => {};
  const manager = createServiceManager(terminal.env, log);
  const inheritedSockets = takeInheritedSockets(terminal.env, log);
  const read = keepingLast(config, () => readConfig().config, log);
  const program = {
    readConfig: read.anew,
    restart: () => restart(),
    inheritedSockets,
  };
  let gateway = await startGateway(config, log, {}, program);
  reloadAtHangup(() => gateway, log, manager);
  manager.ready();
  const failed = uncaught(() => gateway, log);
  warnOfSlowCrypto(terminal);
  // An engine that accepts and never answers must not keep the gateway from stopping.
  const awaitEnd = async () => {
    const restored = new Promise<'restored'>((resolve) => {
      restart = () => resolve('restored');
    });
    const ended = Promise.race([signals.first, failed, restored]);
    return Promise.race([announce(gateway, terminal.stdout).then(() => ended), ended]);
  };
  let reason = await awaitEnd();
  // A socket that was passed on is closed with the gateway: then systemd starts us again.
  while (reason === 'restored' && inheritedSockets.size === 0) {
    log.info('starting again with the restored backup');
    await gateway.stop(restoreGraceMs, restoredReason);
    gateway = await startGateway(read.anewOrLast(), log, {}, program);
    reason = await awaitEnd();
  }
  manager.stopping();
  const drained =
    reason === 'SIGTERM' ? await Promise.race([gateway.drain(signals.hurry), failed]) : undefined;
  log.info({ reason }, 'stopping');
  await stopBounded(gateway, reason === 'restored' ? restoredReason : undefined);
  // npm's copy of a Ctrl-C finds us while we still take signals, or it would end us as we leave.
  if (reason === 'SIGINT') await pause(sameSignalMs);
  return reason === 'failure' || drained === 'failure' ? 1 : 0;
};

function warnOfSlowCrypto({ stderr }: Terminal): void {
  if (hasNativeCrypto()) return;
  stderr.write(
    'postern: warning: the native crypto of ssh2 is not built, transfers will be slow; with g++, make and python3 installed, run "npm run native" in its folder ("npm rebuild postern" where it is a dependency).\n',
  );
}

/** Reads the configuration, and remembers the last one that could be used, for when it must be had without fail. */
function keepingLast(first: Config, readConfig: () => Config, log: Logger) {
  let last = first;
  const anew = () => {
    last = readConfig();
    return last;
  };
  const anewOrLast = () => {
    try {
      return anew();
    } catch (error) {
      log.error(`${(error as Error).message} The configuration in force stays as it was.`);
      return last;
    }
  };
  return { anew, anewOrLast };
}

const restoreGraceMs = 2_000;
const restoredReason = 'the gateway was restored from a backup; connect again.';
const maxUnwrittenLogBytes = 16 * 1024 * 1024;

/**
 * Stderr for the log. A disk that is full, or a pipe that nobody reads, loses lines and nothing else: unheard,
 * pino's error would end the process, and its last flush would try for ever.
 */
function logDestination() {
  const destination = pino.destination({ fd: 2, sync: false, maxLength: maxUnwrittenLogBytes });
  destination.on('error', () => {});
  destination.flushSync = () => {};
  return destination;
}

/**
 * The last line of defence: a fault of ours that nothing caught. It ends the connection that began it, and that alone. One
 * that no connection began is the gateway's own: what it left behind nobody knows, so the gateway stops, but in order:
 * people are told, and what runs in containers is ended. Whatever started it starts it again.
 */
function uncaught(current: () => Gateway, log: Logger): Promise<'failure'> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error) => {
      const owner = takeFaultOwner();
      if (owner) return current().endForFault(error, owner);
      current().noteFault();
      log.fatal({ err: error }, 'internal error; the gateway stops');
      resolve('failure');
    });
  });
}

const stopDeadlineMs = 15_000;

async function stopBounded(gateway: Gateway, reason: string | undefined): Promise<void> {
  setTimeout(() => process.exit(1), stopDeadlineMs).unref();
  await gateway.stop(undefined, reason);
}
