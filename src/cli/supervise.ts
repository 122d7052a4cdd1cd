/** `postern supervise`: what the keeper of `postern serve` starts, and starts again. */
import { closeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import { createWorkers, type Workers, type WorkersMemory } from '../gateway-workers.ts';
import { type Kept, meetKeeper } from '../keeper/kept.ts';
import type { HeldSocket, Why } from '../keeper/messages.ts';
import { version } from '../platform/version.ts';
import { createWorkerPool, type WorkerPool } from '../workers/worker-pool.ts';
import { announce } from './announce.ts';
import { checkTakeOver, checkTls } from './check-take-over.ts';
import type { CliCommand, Terminal } from './run-cli.ts';
import { type ServeSetup, setUpServe, warnOfSlowCrypto } from './serve-setup.ts';
import { createServiceManager, type ServiceManager } from './service-manager.ts';
import { awaitSignals, sameSignalMs, watchTerminal } from './signals.ts';
import { stopBounded } from './stop-bounded.ts';
import { uncaught } from './uncaught.ts';

type End = NodeJS.Signals | 'failure' | 'restored' | 'handing over' | 'no keeper';

export const supervise: CliCommand = async (args, terminal) => {
  const kept = await meetKeeper();
  if (!kept) throw new Error('"supervise" is what "postern serve" starts by itself; start that.');
  return superviseFor(kept, args, terminal)
    .catch((error: unknown) => {
      // Its keeper can tell it nothing any more. The status is known by then.
      setTimeout(() => process.exit(), endWithinMs).unref();
      throw error;
    })
    .finally(kept.leave);
};

/** For one that could not begin, whatever is open in it. */
const endWithinMs = 2_000;

async function superviseFor(kept: Kept, args: readonly string[], terminal: Terminal): Promise<number> {
  const setup = await setUp(args, terminal, kept);
  if (!setup) return 0;
  const { log, config } = setup;
  const manager = createServiceManager(terminal.env, log);
  const ends = createEnds(kept, manager, log);
  const { why, generation } = kept.begin;
  const sockets = heldSockets(kept, setup);
  const { pool, begin } = createBeginning(kept, setup, sockets, () => ends.end('restored'));
  let hasBegun = false;
  void ends.first
    .then(() => pause(beginWithinMs, undefined, { ref: false }))
    .then(() => !hasBegun && giveUp(kept, pool, log));
  const gateway = await begin().catch((error: unknown) => {
    pool.kill();
    throw error;
  });
  hasBegun = true;
  const failed = uncaught(() => gateway, log, 'internal error; the supervisor ends').then(
    (): End => 'failure',
  );
  kept.inForce(config);
  kept.ready(sockets.used);
  manager.ready();
  log.info({ generation, version }, 'in charge');
  if (why === 'first') warnOfSlowCrypto(terminal);
  const announced = isFollower(why) ? undefined : announce(gateway, terminal.stdout);
  const reason = await Promise.race([failed, ends.first, announced?.then(() => ends.first) ?? ends.first]);
  // Sessions are the workers', and go on: another supervisor takes its place.
  if (reason === 'failure') process.exit(1);
  if (reason === 'handing over' && !(await gateway.isRestored())) return handOver(gateway, pool, kept);
  if (reason === 'restored' || reason === 'handing over') {
    log.info('starting again with the restored backup');
    await kept.again();
    await stopBounded(gateway, restoredReason);
    return 0;
  }
  kept.stopping();
  manager.stopping();
  const drained = reason === 'SIGTERM' ? await Promise.race([gateway.drain(ends.hurry), failed]) : undefined;
  log.info({ reason }, 'stopping');
  await stopBounded(gateway);
  if (reason === 'SIGINT') await pause(sameSignalMs);
  return drained === 'failure' ? 1 : 0;
}

/** Nobody waits for what it prints. */
const isFollower = (why: Why) => why === 'restart' || why === 'crash';

/** The workers begin to load at once; the gateway opens when what the one before leaves is known. */
function createBeginning(kept: Kept, setup: ServeSetup, sockets: HeldSockets, restart: () => void) {
  const { log, config } = setup;
  const { why, generation, lifelineFd } = kept.begin;
  let workers: Workers | undefined;
  const pool = createWorkerPool({
    ...{ config, generation, lifelineFd, version },
    count: config.workers,
    onServing: (id) => workers?.serves(id),
    onDeath: (dead) => workers?.died(dead),
    onRefused: (connection) => workers?.refused(connection),
  });
  const readConfig = () => {
    const read = setup.readConfig();
    kept.inForce(read);
    return read;
  };
  const begin = async (): Promise<Gateway> => {
    await prepare(pool, kept, sockets.check);
    const memory = (why === 'restart' ? await kept.prepared() : kept.begin.memory) as
      | WorkersMemory
      | undefined;
    workers = createWorkers({ config, log, pool, memory, remember: kept.remember });
    const { inherited: inheritedSockets, onListening } = sockets;
    const program = {
      ...{ workers, memory: memory?.gateway, pid: process.ppid, follows: isFollower(why) },
      ...{ readConfig, restart, replace: kept.restart, inheritedSockets, onListening },
    };
    return startGateway(config, log, {}, program).catch((error: unknown) => {
      // Those that are ended because of it are not reported as dead.
      workers = undefined;
      throw error;
    });
  };
  return { pool, begin };
}

/** Once it was told to stop. */
const beginWithinMs = 5_000;

/** One that waits for what does not come would wait for ever, and whoever stops it with it. */
function giveUp(kept: Kept, pool: WorkerPool, log: Logger): void {
  log.error('the gateway was stopped before it had begun');
  pool.kill();
  kept.stopping();
  setTimeout(() => process.exit(1), sameSignalMs);
}

const restoredReason = 'the gateway was restored from a backup; connect again.';

/** What is wrong with the configuration is the keeper's to know too, where another supervisor goes on. */
async function setUp(
  args: readonly string[],
  terminal: Terminal,
  kept: Kept,
): Promise<ServeSetup | undefined> {
  try {
    // At a restart there is one that goes on, and the mistake is told to whoever asked for it.
    const { why, configuration } = kept.begin;
    const inForce = why === 'restart' ? undefined : (configuration as Config | undefined);
    const setup = await setUpServe(args, terminal, inForce);
    if (setup?.config.workers === 0) {
      throw new Error(
        'without workers (workers: 0) the gateway is one process; stop it and start it for that.',
      );
    }
    return setup;
  } catch (error) {
    await kept.refused((error as Error).message);
    throw error;
  }
}

/** What ends a supervisor from outside. Signals come from the keeper alone: a terminal sends them to all of its processes. */
function createEnds(kept: Kept, manager: ServiceManager, log: Logger) {
  const isClosed = watchTerminal();
  const listeners = new Map<NodeJS.Signals, () => void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const signals = awaitSignals((signal, listener) => listeners.set(signal, listener));
  listeners.set('SIGHUP', () => {
    if (isClosed()) return listeners.get('SIGINT')?.();
    manager.reloading();
    kept.restart().catch((error: Error) => {
      log.error(`No restart: ${error.message} What runs goes on.`);
      manager.ready();
    });
  });
  kept.onSignal((signal) => listeners.get(signal)?.());
  let end: (reason: End) => void = () => {};
  const other = new Promise<End>((resolve) => {
    end = resolve;
  });
  kept.onHandOver(() => end('handing over'));
  // Nobody keeps the workers, nor could start another supervisor: what runs is over, in a drain too.
  const gone = new AbortController();
  kept.onGone(() => {
    end('no keeper');
    gone.abort();
  });
  const hurry = AbortSignal.any([signals.hurry, gone.signal]);
  return { end, first: Promise.race([signals.first, other]), hurry };
}

const keyOfListener = {
  ssh: 'sshListen',
  http: 'httpListen',
  health: 'healthListen',
  metrics: 'metricsListen',
} as const;

type HeldSockets = ReturnType<typeof heldSockets>;

/** A socket that listens is taken over where it is the one that the configuration names; any other is let go. */
function heldSockets({ begin, listening }: Kept, { config }: ServeSetup) {
  const { why, sockets, memory } = begin;
  const keys = Object.entries(keyOfListener);
  const listenOf = (name: string) => config[keyOfListener[name as keyof typeof keyOfListener]];
  const isMine = ({ name, at }: HeldSocket) => at === undefined || at === listenOf(name);
  const inherited = new Map(sockets.filter(isMine).map(({ name, fd }) => [name, fd]));
  // Else who connects to where nobody listens any more would wait there for ever.
  for (const socket of sockets) if (!isMine(socket)) closeSync(socket.fd);
  return {
    inherited,
    used: keys.flatMap(([name, key]) => (config[key] === undefined ? [] : [name])),
    onListening(name: string, handle: unknown) {
      const at = listenOf(name);
      if (at !== undefined && !inherited.has(name)) listening(name, at, handle);
    },
    async check(): Promise<void> {
      await checkTls(config);
      if (why !== 'restart') return;
      const { dataDir } = (memory ?? {}) as Partial<WorkersMemory>;
      const newListeners = keys.flatMap(([name, key]) => {
        const { [key]: listen } = config;
        return listen === undefined || inherited.has(name) ? [] : [{ flag: `--${name}-listen`, listen }];
      });
      await checkTakeOver({ config, dataDir, newListeners });
    },
  };
}

/** Stays until its workers have left, whose parent it is. */
async function handOver(gateway: Gateway, pool: WorkerPool, kept: Kept): Promise<number> {
  const timeoutMs = kept.timeoutMs();
  const memory = await gateway.handOver(timeoutMs);
  kept.handedOver(memory);
  // Whoever asked for it is answered then.
  await Promise.all([pool.retire(timeoutMs), kept.retired]);
  return 0;
}

async function prepare({ loaded }: WorkerPool, kept: Kept, check: () => Promise<void>): Promise<void> {
  try {
    await loaded;
    await check();
  } catch (error) {
    await kept.refused((error as Error).message);
    throw error;
  }
}
