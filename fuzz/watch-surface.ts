/** Starts a surface's process, and ends it where an input takes too long: a loop without end cannot end itself. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCurrentInput } from './current-input.ts';
import { unknownMemory } from './surface.ts';
import type { SurfaceOrder, SurfaceReport } from './surface-process.ts';

export interface Fault {
  readonly surface: SurfaceOrder['surface'];
  readonly seed: string;
  readonly index: number;
  /** What was thrown, how the process ended, or how long it took. */
  readonly what: string;
  /** Hex. */
  readonly input: string;
}

export interface Outcome extends Omit<SurfaceReport, 'fault'> {
  readonly fault?: Fault;
}

const program = new URL('./surface-process.ts', import.meta.url).pathname;
/** Longer than a fault that ends by itself needs to be told. */
const hangsAfterMs = 5_000;
const lookEveryMs = 500;
const keptErrorText = 4_000;

/** Rejects when the surface cannot even be opened. */
export async function watchSurface(order: Omit<SurfaceOrder, 'file'>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-fuzz-'));
  const file = join(folder, 'current');
  const child = fork(program, [], {
    execArgv: ['--max-semi-space-size=8'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.send({ ...order, file } satisfies SurfaceOrder);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-keptErrorText);
  });
  let report: SurfaceReport | undefined;
  child.once('message', (message) => {
    report = message as SurfaceReport;
  });
  let hung = false;
  const stopWatching = watch(file, () => {
    hung = true;
    child.kill('SIGKILL');
  });
  const ended = await new Promise<string>((resolve) =>
    child.once('close', (status, signal) => resolve(signal ?? `status ${status}`)),
  );
  stopWatching();
  const { surface, seed } = order;
  try {
    if (report) {
      const { fault, ...rest } = report;
      return fault ? { ...rest, fault: { surface, seed, ...fault } } : rest;
    }
    const current = readCurrentInput(file);
    if (!current) throw new Error(`the surface ${surface} could not be opened: ${said}`);
    const what = hung ? `took more than ${hangsAfterMs} ms` : `the process ended with ${ended}: ${said}`;
    const fault = { surface, seed, index: current.index, what, input: current.input.toString('hex') };
    return {
      inputs: current.index,
      seconds: 0,
      memoryBefore: unknownMemory,
      memoryAfter: unknownMemory,
      slowestMs: 0,
      fault,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls `onHang` when one input stays the current one for too many looks, of which the machine's own standing still is one; returns what stops that. */
function watch(file: string, onHang: () => void): () => void {
  let last = -1;
  let looks = 0;
  const timer = setInterval(() => {
    let now: ReturnType<typeof readCurrentInput>;
    try {
      now = readCurrentInput(file);
    } catch {
      return;
    }
    if (!now?.isUnderWay || now.index !== last) {
      last = now?.index ?? -1;
      looks = 0;
    } else if (++looks * lookEveryMs > hangsAfterMs) onHang();
  }, lookEveryMs);
  return () => clearInterval(timer);
}
