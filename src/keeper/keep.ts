/** The keeper as this process. */
import { writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { takeInheritedSockets } from '../platform/inherited-sockets.ts';
import { createHeldSockets } from './held-sockets.ts';
import { Keeper } from './keeper.ts';
import type { Program } from './supervisor-process.ts';

/** Resolves to the exit status. `env` is passed on, but for what was meant for this process alone. */
export async function keep(
  program: Program,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const inherited = takeInheritedSockets(env, warn);
  // Whoever is watched, it is not this process.
  if (env['WATCHDOG_PID'] === String(process.pid)) delete env['WATCHDOG_PID'];
  const keeper = new Keeper({ program, args, env, warn, sockets: createHeldSockets(inherited) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => keeper.signal(signal));
  }
  const status = await keeper.ended;
  // Else the other ends of sockets that workers still hold would keep it.
  process.exit(status);
}

const errorLevel = 50;

/** As a line of the log; a disk that is full, or a pipe that nobody reads, loses it. */
function warn(sentence: string): void {
  const line = { level: errorLevel, time: Date.now(), pid: process.pid, hostname: hostname(), msg: sentence };
  try {
    writeSync(2, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody is told.
  }
}
