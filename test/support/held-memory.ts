/** What this process holds on to, which what it has not given back to the system yet says nothing of. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Twice: V8 goes on counting the buffers that one collection found to be garbage until the next begins. */
function collect(): void {
  gc();
  gc();
}

/** In MiB: JavaScript's heap and what hangs on it, after a collection. */
export function heldMib(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
}

/** Resolves to the most that was held in addition while `work` ran, looked at four times a second. */
export async function mostHeldMib(work: () => Promise<unknown>): Promise<number> {
  const before = heldMib();
  let most = before;
  const look = () => {
    most = Math.max(most, heldMib());
  };
  const watch = setInterval(look, 250);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  look();
  return most - before;
}
