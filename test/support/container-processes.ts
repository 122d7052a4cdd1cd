/** What runs in a container, as its engine sees it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from './engine.ts';

/** How many processes in the container have `word` in their command line. */
export async function countProcesses(id: string, word: string): Promise<number> {
  return (await processesOf(id, word)).length;
}

/** Their pids on this machine. The command line is the last column: a number in it may be another's pid or time. */
export async function processesOf(id: string, word: string): Promise<number[]> {
  const { Titles, Processes } = (await openEngine().getContainer(id).top()) as {
    Titles: string[];
    Processes: string[][];
  };
  const pidAt = Titles.indexOf('PID');
  return Processes.filter((columns) => columns.at(-1)?.includes(word)).map((columns) =>
    Number(columns[pidAt]),
  );
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
