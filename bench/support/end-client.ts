/** The end of a client that runs until it is told to stop. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const politeMs = 1_000;

/**
 * Resolves when it has ended. OpenSSH's ssh looks for a signal and waits afterwards: one that comes in between is seen with the
 * next packet, and from a server that has nothing to say there is none, ever.
 */
export async function endClient(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  const late = setTimeout(() => child.kill('SIGKILL'), politeMs);
  await ended;
  clearTimeout(late);
}
