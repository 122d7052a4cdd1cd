/** What the signals of the process mean to `postern serve`. */
import { isatty } from 'node:tty';
import type { Logger } from 'pino';
import type { Gateway } from '../gateway.ts';
import type { ServiceManager } from './service-manager.ts';

/** SIGHUP reads the configuration anew. But a terminal that is closed sends one too, and then whoever sat there wants us gone. */
export function reloadAtHangup(
  current: () => Pick<Gateway, 'reload'>,
  log: Logger,
  manager: Pick<ServiceManager, 'reloading' | 'ready'>,
): void {
  const isClosed = watchTerminal();
  process.on('SIGHUP', async () => {
    if (isClosed()) return void process.kill(process.pid, 'SIGINT');
    manager.reloading();
    try {
      log.info(await current().reload());
    } catch (error) {
      log.error(`${(error as Error).message} The configuration in force stays as it was.`);
    }
    manager.ready();
  });
}

/** Whether the terminal is closed at which this began. */
export function watchTerminal(): () => boolean {
  const beganAtTerminal = isatty(0);
  return () => beganAtTerminal && !isatty(0);
}

/** A Ctrl-C under npm arrives twice, from the terminal and from npm, which passes it on. */
export const sameSignalMs = 500;

export interface Signals {
  /** The first. */
  readonly first: Promise<NodeJS.Signals>;
  /** Aborted by a second one. */
  readonly hurry: AbortSignal;
}

export type OnSignal = (signal: 'SIGINT' | 'SIGTERM', listener: () => void) => void;

const onOwnSignal: OnSignal = (signal, listener) => void process.on(signal, listener);

/** SIGTERM lets what runs come to its end, SIGINT does not; a second of either ends the wait, a third the process. */
export function awaitSignals(on: OnSignal = onOwnSignal): Signals {
  const hurry = new AbortController();
  const first = new Promise<NodeJS.Signals>((resolve) => {
    let lastAtMs: number | undefined;
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      // One listener throughout: between two of them a signal would find none, and end us as we stand.
      on(signal, () => {
        const isSame = lastAtMs !== undefined && performance.now() - lastAtMs < sameSignalMs;
        lastAtMs = performance.now();
        if (isSame) return;
        // With SIGINT there is no wait to be ended.
        count += count === 0 && signal === 'SIGINT' ? 2 : 1;
        resolve(signal);
        if (count === 2) hurry.abort();
        if (count > 2) process.exit(130);
      });
    }
  });
  return { first, hurry: hurry.signal };
}
