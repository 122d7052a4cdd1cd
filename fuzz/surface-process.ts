/**
 * One surface in a process of its own. Its order is its parent's only message, its report the only one to its parent;
 * where that does not come, the process has crashed, and the file of the current input says by what.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openCurrentInput } from './current-input.ts';
import { memoryAfterCollection } from './memory.ts';
import { createRandom } from './random.ts';
import { type Memory, type OpenSurface, unknownMemory } from './surface.ts';
import { type SurfaceName, surfaces } from './surfaces.ts';

export interface SurfaceOrder {
  readonly surface: SurfaceName;
  readonly seed: string;
  readonly inputs: number;
  readonly seconds: number;
  /** For the current input. */
  readonly file: string;
  /** Hex: nothing but this one is run. */
  readonly replay?: string;
}

export interface SurfaceReport {
  readonly inputs: number;
  readonly seconds: number;
  /** After a garbage collection: when it had warmed up, and at the end. */
  readonly memoryBefore: Memory;
  readonly memoryAfter: Memory;
  readonly slowestMs: number;
  readonly fault?: { readonly index: number; readonly what: string; readonly input: string };
}

/** An input that takes longer is a fault. */
const longestMs = 1_000;
/** The first inputs fill caches and have code compiled. */
const warmUpInputs = 5_000;
const warmUpShare = 0.1;
const replayPauseMs = 100;

async function runSurface(order: SurfaceOrder, open: OpenSurface): Promise<SurfaceReport> {
  const current = openCurrentInput(order.file);
  const memory = open.memory ?? memoryAfterCollection;
  const warmUp = Math.min(warmUpInputs, Math.ceil(order.inputs * warmUpShare));
  const startedAt = performance.now();
  const secondsSoFar = () => (performance.now() - startedAt) / 1_000;
  let memoryBefore: Memory | undefined;
  let slowestMs = 0;
  let index = 0;
  let fault: SurfaceReport['fault'];
  let escaped: unknown;
  const noteEscaped = (error: unknown) => {
    escaped ??= error ?? new Error('rejected without a reason');
  };
  process.on('uncaughtException', noteEscaped);
  for (; index < order.inputs && secondsSoFar() < order.seconds && !fault; index++) {
    const isWarm = index >= warmUp || secondsSoFar() > order.seconds * warmUpShare;
    if (!memoryBefore && isWarm) memoryBefore = await memory();
    const random = createRandom(`${order.seed} ${order.surface} ${index}`);
    const input = order.replay === undefined ? open.generate(random) : Buffer.from(order.replay, 'hex');
    const whole = () =>
      (order.replay === undefined && open.together ? open.together() : input).toString('hex');
    current.begin(index, input);
    const begunAt = performance.now();
    try {
      await open.run(input);
      // A rejection that nobody takes is told in a later tick.
      if (order.replay !== undefined || index % 64 === 0)
        await new Promise((resolve) => setImmediate(resolve));
      if (escaped !== undefined) throw escaped;
      const tookMs = performance.now() - begunAt;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > longestMs) fault = { index, what: `took ${Math.round(tookMs)} ms`, input: whole() };
    } catch (error) {
      fault = { index, what: (error as Error).stack ?? String(error), input: whole() };
    }
    current.done();
    // What a gateway tells of one comes a little later.
    if (order.replay !== undefined) await pause(replayPauseMs);
  }
  const seconds = secondsSoFar();
  const memoryAfter = fault ? unknownMemory : await memory();
  current.close();
  return {
    inputs: index,
    seconds,
    memoryBefore: memoryBefore ?? memoryAfter,
    memoryAfter,
    slowestMs,
    ...(fault ? { fault } : {}),
  };
}

const order = await new Promise<SurfaceOrder>((resolve) =>
  process.once('message', (message) => resolve(message as SurfaceOrder)),
);
const open = await surfaces[order.surface].open();
const report = await runSurface(order, open);
await open.close();
process.send?.(report, () => process.exit(0));
