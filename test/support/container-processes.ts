/** What runs in a container, as its engine sees it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from './engine.ts';

/** How many processes in the container have `word` in their command line. */
export async function countProcesses(id: string, word: string): Promise<number> {
  const top = (await openEngine().getContainer(id).top()) as { Processes: string[][] };
  return top.Processes.filter((columns) => columns.join(' ').includes(word)).length;
}

/** Whether `holds` came true before `timeoutMs` were over. To ask often for what is dear to know makes it come later. */
export async function until(
  holds: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = 50,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    if (await holds()) return true;
    await sleep(everyMs);
  }
  return false;
}
