/**
 * systemd, where it started us, is told of our state (sd_notify(3)). Node has no datagram sockets of AF_UNIX, so
 * systemd-notify(1) says it for us, which needs
 * `NotifyAccess=all`.
 */
import { spawn } from 'node:child_process';
import type { Logger } from 'pino';

export interface ServiceManager {
  ready(): void;
  /** To be followed by `ready`. */
  reloading(): void;
  stopping(): void;
}

/** Says nothing where nobody listens. Takes the variables out of `env`: they are meant for this process alone. */
export function createServiceManager(env: NodeJS.ProcessEnv, log: Logger): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, WATCHDOG_PID: watchdogPid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  const notify = createNotify(socket, env, log);
  const isWatched = watchdogPid === undefined || watchdogPid === String(process.pid);
  const watchdogMs = isWatched ? Number(watchdogUs) / 1000 : Number.NaN;
  // On a slow machine one must not queue up behind another, and all that matters behind those.
  if (watchdogMs > 0) setInterval(() => notify.isIdle() && notify.say('WATCHDOG=1'), watchdogMs / 3).unref();
  return {
    ready: () => notify.say('READY=1'),
    // Of CLOCK_MONOTONIC, which is what hrtime reads.
    reloading: () => notify.say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => notify.say('STOPPING=1'),
  };
}

function createNotify(socket: string | undefined, env: NodeJS.ProcessEnv, log: Logger) {
  // One after the other: what is said last must arrive last.
  let last = Promise.resolve();
  let waiting = 0;
  let isBroken = !socket;
  const say = (...variables: readonly string[]): void => {
    waiting++;
    const mine = last.then(() => {
      if (isBroken) return;
      return new Promise<void>((resolve) => {
        const options = { env: { ...env, NOTIFY_SOCKET: socket }, stdio: 'ignore' as const };
        const child = spawn('systemd-notify', variables, options);
        child.once('error', (error) => {
          isBroken = true;
          log.warn({ err: error }, 'systemd-notify cannot be run, so systemd is told nothing of our state');
          resolve();
        });
        child.once('exit', () => resolve());
      });
    });
    last = mine.finally(() => waiting--);
  };
  return { say, isIdle: () => waiting === 0 };
}
