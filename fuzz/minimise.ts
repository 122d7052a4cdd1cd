/** The smallest input found that has the same fault. */
import { type Fault, watchSurface } from './watch-surface.ts';

/** Each try is a process. */
const maxTries = 120;
const maxMs = 60_000;
/** A fault may come of the second time, or be told a little after the first. */
const replays = 3;

/** What stays the same when the input gets smaller: the kind of error, or that it took too long. */
const kindOf = (what: string) =>
  /^took /.test(what) ? 'too long' : (what.split('\n')[0] as string).slice(0, 80);

/** The fault again, with its input alone and nothing before it; undefined where it does not come again. */
export async function replay({ surface, seed, input }: Pick<Fault, 'surface' | 'seed' | 'input'>) {
  const { fault } = await watchSurface({ surface, seed, inputs: replays, seconds: 3_600, replay: input });
  return fault;
}

/** Pieces are left out, half of it first, as long as the fault stays (ddmin, Zeller 1999, without its complements). */
export async function minimise(fault: Fault): Promise<Fault> {
  const kind = kindOf(fault.what);
  const until = performance.now() + maxMs;
  let smallest = fault;
  let tries = 0;
  for (let piece = fault.input.length / 4; piece >= 1; piece = Math.floor(piece / 2)) {
    const bytes = Math.floor(piece);
    for (let at = 0; at < smallest.input.length / 2; ) {
      if (++tries > maxTries || performance.now() > until) return smallest;
      const input = smallest.input.slice(0, at * 2) + smallest.input.slice((at + bytes) * 2);
      const again = await replay({ ...smallest, input });
      if (again && kindOf(again.what) === kind) smallest = { ...again, index: fault.index, input };
      else at += bytes;
    }
  }
  return smallest;
}
