/** Interleaved measuring: A B A B …, so that a noisy machine hits all alike; figures are medians and ratios. */

export interface Contender {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** One unmeasured round, then `rounds` measured ones. */
export async function interleave(contenders: readonly Contender[], rounds: number): Promise<Measured[]> {
  const times = contenders.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const started = process.hrtime.bigint();
      await contender.run();
      if (round >= 0) times[index]?.push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  return contenders.map(({ name }, index) => {
    const sorted = (times[index] as number[]).sort((a, b) => a - b);
    return { name, medianMs: median(sorted), minMs: sorted[0] as number, maxMs: sorted.at(-1) as number };
  });
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A line each, then the ratio of the first to the second and whether it keeps to the bar. */
export function report(title: string, measured: readonly Measured[], bar: number): void {
  console.log(`\n${title}`);
  for (const { name, medianMs, minMs, maxMs } of measured) {
    console.log(
      `  ${name.padEnd(44)} median ${medianMs.toFixed(1)} ms  (${minMs.toFixed(1)}–${maxMs.toFixed(1)})`,
    );
  }
  const [ours, theirs] = measured as [Measured, Measured];
  const ratio = ours.medianMs / theirs.medianMs;
  console.log(
    `  ratio ${ratio.toFixed(2)}, bar ≤ ${Number(bar.toFixed(2))}: ${ratio <= bar ? 'kept' : 'MISSED'}`,
  );
  if (ratio > bar) process.exitCode = 1;
}
