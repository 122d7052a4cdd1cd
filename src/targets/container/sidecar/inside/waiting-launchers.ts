/**
 * Launchers that were started in advance, for a program like one that has just been started: each waits to be told the
 * words of its program by its stdin, and becomes that by `exec`. Imports nothing but Node.
 */
import { readFileSync } from 'node:fs';
import type { Start, Started } from './start-program.ts';

export interface WaitingLaunchers {
  /** One that was started with exactly that, and is nobody else's from now on. Undefined: none could do it. */
  take(how: Start): Started | undefined;
  /** Soon one will wait that is started with that, if it can be. */
  prepare(how: Start): void;
  /** Ends those that wait. */
  end(): void;
}

/** Each is a process of the container, and one of its user's. */
const keptAtMost = 3;
const waitsAtMostMs = 60_000;
/** Not in the way of the program that has just begun, which often is as short. */
const preparesAfterMs = 12;

export function createWaitingLaunchers(start: (how: Start) => Promise<Started>): WaitingLaunchers {
  const kept = new Map<string, Started | undefined>();
  let hasEnded = false;

  const forget = (key: string, started = kept.get(key)) => {
    if (kept.get(key) === started) kept.delete(key);
    for (const each of started?.stdio ?? []) each.destroy();
    // It would exit at the end of its stdin, unless somebody has stopped it.
    started?.child.kill('SIGKILL');
  };
  const keep = (key: string, started: Started) => {
    // Another may have come in its place, where this one took its time.
    if (hasEnded || !kept.has(key) || kept.get(key)) return forget('', started);
    kept.set(key, started);
    const end = () => kept.get(key) === started && forget(key);
    started.child.once('exit', end);
    setTimeout(end, waitsAtMostMs).unref();
  };
  const open = (key: string, how: Start) => {
    if (hasEnded || kept.has(key)) return;
    if (kept.size >= keptAtMost) forget(kept.keys().next().value as string);
    kept.set(key, undefined);
    start(how).then(
      (started) => keep(key, started),
      () => forget(key),
    );
  };
  return {
    take(how) {
      const key = JSON.stringify(how);
      const started = kept.get(key);
      if (!started) return undefined;
      if (!isWaiting(started)) return void forget(key);
      kept.delete(key);
      return started;
    },
    prepare(how) {
      setTimeout(open, preparesAfterMs, JSON.stringify(how), how).unref();
    },
    end() {
      hasEnded = true;
      for (const key of [...kept.keys()]) forget(key);
    },
  };
}

/** Neither dead nor stopped: other programs of the same user may have done that to it. */
function isWaiting({ child, pid }: Started): boolean {
  if (child.exitCode !== null || child.signalCode !== null) return false;
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.startsWith('S') === true;
  } catch {
    return false;
  }
}
