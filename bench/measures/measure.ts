/** One thing to measure, side by side and in turns: A B A B …, so that a noisy machine hits all alike. */
import type { BothWays } from '../peers/container.ts';
import type { Table } from '../report/table.ts';

export interface Measure {
  /** For `--only`. */
  readonly name: string;
  readonly run: (bench: Bench) => Promise<readonly Table[]>;
}

export type Length = 'quick' | 'usual' | 'long';

export interface Bench {
  readonly rounds: number;
  readonly length: Length;
  /** The private key that every server lets in. */
  readonly key: string;
  /** To a container that the measure has for itself, unless the numbers mean nothing. */
  readonly startBothWays: () => Promise<BothWays>;
  /** Prints how far it has come. */
  readonly tell: (line: string) => void;
}

export interface Contender<Result> {
  readonly name: string;
  readonly at: string | number;
  readonly run: () => Promise<Result>;
}

export interface Outcome<Result> {
  readonly name: string;
  readonly at: string | number;
  readonly results: readonly Result[];
}

/** One round that nobody counts, in which everything is warmed up, then as many as were asked for. */
export async function inTurns<Result>(
  { rounds, length, tell }: Bench,
  what: string,
  contenders: readonly Contender<Result>[],
): Promise<Outcome<Result>[]> {
  const results = contenders.map((): Result[] => []);
  for (let round = length === 'quick' ? 0 : -1; round < rounds; round++) {
    tell(`${what}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}`);
    for (const [index, { run }] of contenders.entries()) {
      const result = await run();
      if (round >= 0) results[index]?.push(result);
    }
  }
  return contenders.map(({ name, at }, index) => ({ name, at, results: results[index] as Result[] }));
}

export const rowsOf = <Result>(outcomes: readonly Outcome<Result>[], sample: (result: Result) => number) =>
  outcomes.map(({ name, at, results }) => ({ name, at, samples: results.map(sample) }));

/** One of three values, by how long it may take. */
export const byLength = <Value>({ length }: Bench, values: Readonly<Record<Length, Value>>): Value =>
  values[length];

/** Starts what is measured, and ends it whatever happens. */
export async function withRunning<Running extends { readonly stop: () => unknown }, Result>(
  starts: readonly (() => Promise<Running>)[],
  work: (running: readonly Running[]) => Promise<Result>,
): Promise<Result> {
  const running: Running[] = [];
  try {
    for (const start of starts) running.push(await start());
    return await work(running);
  } finally {
    for (const each of running.toReversed()) await each.stop();
  }
}
