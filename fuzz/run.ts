/** `npm run fuzz`: every surface in turn, for so long or with so many inputs, the same ones for the same seed. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { minimise, replay } from './minimise.ts';
import type { Surface } from './surface.ts';
import { isSurfaceName, type SurfaceName, surfaces } from './surfaces.ts';
import { type Fault, type Outcome, watchSurface } from './watch-surface.ts';

const usage = `npm run fuzz -- [--seed TEXT] [--seconds N] [--inputs N] [--only SURFACE]… [--replay FILE]

Surfaces: ${Object.keys(surfaces).join(', ')}`;

const defaultSeconds = 600;
/** What the memory of a surface's process may grow by from warm to the end. */
const maxGrowthBytes = 50 * 1024 * 1024;
/** Of the inputs, how many an in-process surface gets for one through a gateway. */
const paceWeight = { 'in this process': 4, 'through a gateway': 1 } as const;

interface Options {
  readonly seed: string;
  readonly seconds: number;
  readonly inputs: number;
  readonly only: readonly SurfaceName[];
  readonly replay: string | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      inputs: { type: 'string' },
      only: { type: 'string', multiple: true },
      replay: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const numberOf = (text: string | undefined, otherwise: number) => {
    const number = text === undefined ? otherwise : Number(text);
    if (!(number > 0)) throw new Error(`${text} is no number above 0.\n\n${usage}`);
    return number;
  };
  const only = values.only ?? Object.keys(surfaces);
  const unknown = only.find((name) => !isSurfaceName(name));
  if (unknown !== undefined) throw new Error(`There is no surface ${unknown}.\n\n${usage}`);
  const inputs = numberOf(values.inputs, Number.MAX_SAFE_INTEGER);
  return {
    seed: values.seed ?? randomBytes(4).toString('hex'),
    // So many inputs were asked for: they are made, however long it takes.
    seconds: numberOf(values.seconds, values.inputs === undefined ? defaultSeconds : 24 * 3_600),
    inputs,
    only: only as SurfaceName[],
    replay: values.replay,
  };
}

const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

function describe(
  name: SurfaceName,
  { inputs, seconds, memoryBefore, memoryAfter, slowestMs }: Outcome,
): string {
  const rate = Math.round(inputs / Math.max(seconds, 0.001));
  const memory = `${mebibytes(memoryBefore.live)} -> ${mebibytes(memoryAfter.live)} MiB live, ${mebibytes(memoryBefore.rss)} -> ${mebibytes(memoryAfter.rss)} MiB rss`;
  return `${name.padEnd(18)} ${inputs} inputs, ${rate}/s, slowest ${Math.round(slowestMs)} ms, memory ${memory}`;
}

/** One that does not come again may have been the machine's; it is told all the same. */
async function report(fault: Fault): Promise<void> {
  const isRepeated = (await replay(fault)) !== undefined;
  const smallest = isRepeated ? await minimise(fault) : fault;
  const folder = join(import.meta.dirname, 'faults');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${fault.surface}-${fault.seed}-${fault.index}.json`);
  writeFileSync(file, `${JSON.stringify(smallest, undefined, 2)}\n`);
  console.log(
    [
      `FAULT in ${fault.surface}, seed ${fault.seed}, input ${fault.index}${isRepeated ? '' : ' (not seen again by itself)'}:`,
      smallest.what,
      `input: ${smallest.input}`,
      `again: npm run fuzz -- --replay ${file}`,
    ].join('\n'),
  );
}

/** Whether it did well. */
async function fuzz(name: SurfaceName, seed: string, inputs: number, seconds: number): Promise<boolean> {
  const outcome = await watchSurface({ surface: name, seed, inputs, seconds });
  console.log(describe(name, outcome));
  if (outcome.fault) {
    // A machine that is busy makes one slow that is not.
    if (/^took /.test(outcome.fault.what) && !(await replay(outcome.fault))) {
      console.log(`${name}: input ${outcome.fault.index} ${outcome.fault.what} once, and not again`);
      const left = { inputs: inputs - outcome.inputs, seconds: seconds - outcome.seconds };
      if (left.inputs < 1 || left.seconds < 1) return true;
      return fuzz(name, `${seed}+`, left.inputs, left.seconds);
    }
    await report(outcome.fault);
    return false;
  }
  const { keptByNode = 0 }: Surface = surfaces[name];
  const growth = outcome.memoryAfter.live - outcome.memoryBefore.live - keptByNode * outcome.inputs;
  if (growth <= maxGrowthBytes) return true;
  console.log(`FAULT in ${name}, seed ${seed}: its memory grew by ${mebibytes(growth)} MiB`);
  return false;
}

async function fuzzAll({ only, seed, inputs, seconds }: Options): Promise<boolean> {
  console.log(`seed ${seed}`);
  const weightOf = (name: SurfaceName) => paceWeight[surfaces[name].pace];
  const weights = only.reduce((sum, name) => sum + weightOf(name), 0);
  const deadline = performance.now() + seconds * 1_000;
  let isWell = true;
  for (const [index, name] of only.entries()) {
    const share = Math.max(0.2, (deadline - performance.now()) / 1_000 / (only.length - index));
    const ofInputs = Math.ceil((inputs * weightOf(name)) / weights);
    isWell = (await fuzz(name, seed, ofInputs, share)) && isWell;
  }
  return isWell;
}

async function replayFile(file: string): Promise<boolean> {
  const fault = await replay(JSON.parse(readFileSync(file, 'utf8')) as Fault);
  console.log(fault ? `FAULT in ${fault.surface}: ${fault.what}` : 'it did well');
  return fault === undefined;
}

/** Whoever mistypes is told how it is typed, not where that was found out. */
function readOptionsOrEnd(): Options {
  try {
    return readOptions();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

const options = readOptionsOrEnd();
const isWell = options.replay === undefined ? await fuzzAll(options) : await replayFile(options.replay);
process.exit(isWell ? 0 : 1);
