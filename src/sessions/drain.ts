/** The end of a gateway that lets what runs come to its own end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Connections } from './connections.ts';

/** Of the doors: `close` comes later. */
export interface DrainedDoor {
  /** Takes nobody in any more, and leaves those in whom nothing runs, now and as it comes to that. */
  drain(): void;
  /** Whether anybody is still connected by it whom the registry of connections does not know. */
  readonly isEmpty: boolean;
}

export interface DrainDependencies {
  readonly connections: Connections;
  readonly doors: readonly DrainedDoor[];
  readonly log: Logger;
}

export interface Drain {
  readonly timeoutMs: number;
  /** Aborted by whoever does not want to wait. */
  readonly hurry: AbortSignal;
}

const pollIntervalMs = 50;

/** Resolves when whoever sends people here has had `delayMs` to see in our health that nobody else is to come. */
export async function awaitBalancer(delayMs: number, hurry: AbortSignal, log: Logger): Promise<void> {
  if (delayMs === 0) return;
  log.info({ delayMs }, 'about to drain: whoever comes is still let in');
  await pause(delayMs, undefined, { signal: hurry }).catch(() => {});
}

/**
 * Closes the doors, tells whoever sits at a terminal, and resolves when nothing runs any more, at the latest after
 * `timeoutMs`. What runs then is left running, for whoever ends everything.
 */
export async function drain(
  { connections, doors, log }: DrainDependencies,
  { timeoutMs, hurry }: Drain,
): Promise<void> {
  for (const door of doors) door.drain();
  const running = connections.listSessions();
  log.info({ sessions: running.length, timeoutMs }, 'draining: nobody is let in any more');
  const left = `${Math.ceil(timeoutMs / 1000)} s`;
  for (const session of running) {
    session.notify?.(
      `the gateway is about to stop; this session will be ended in ${left}, so finish and leave.`,
    );
  }
  const isDone = () =>
    connections.listSessions().length === 0 &&
    connections.listConnections().length === 0 &&
    doors.every((door) => door.isEmpty);
  const deadlineMs = performance.now() + timeoutMs;
  while (!isDone() && !hurry.aborted && performance.now() < deadlineMs) {
    await pause(pollIntervalMs, undefined, { signal: hurry }).catch(() => {});
  }
  log.info({ sessions: connections.listSessions().length }, 'drained');
}
