/** What this process holds when its garbage is gone. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Memory } from './surface.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: object) => void;
/** Its pages are given back, too: without that, what is resident is the most that was ever used at once. */
const collectGarbage = () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });

export async function memoryAfterCollection(): Promise<Memory> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    // What closes streams and sockets runs between.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { live: heapUsed + external, rss };
}
