/** Ending a process that may be nobody's child here. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const pollIntervalMs = 10;

/** Resolves when there is no such process, or what is left of it waits for its parent to notice. */
export async function endOfProcess(pid: number): Promise<void> {
  while (await runs(pid)) await pause(pollIntervalMs);
}

/** Kills it. Resolves when it has ended. */
export async function killProcess(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  await endOfProcess(pid);
}

async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // Its name stands in brackets, and may be anything.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/^Z/.test(stat.slice(stat.lastIndexOf(')') + 2));
}
