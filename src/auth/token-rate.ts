/** How often a key's tokens may ask: a bucket per key that fills at a steady rate. */
import type { Clock } from '../platform/clock.ts';

export interface TokenRateOptions {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
  readonly clock: Clock;
  /** Of whoever counted before. */
  readonly remembered?: RememberedRate | undefined;
}

/** What is left of keys whose buckets are not full; plain data. */
export type RememberedRate = readonly (readonly [key: string, left: number])[];

interface Bucket {
  left: number;
  readAtMs: number;
}

const sweepAbove = 10_000;

export interface TokenRate {
  /** Takes one for `key`; resolves to 0, or when there is none left to the whole seconds until there is. */
  take(key: string): Promise<number>;
}

export interface OwnTokenRate extends TokenRate {
  /** The same as `take`. */
  takeNow(key: string): number;
  /** No more than `left` is left of the key's, as others took from it, too; below 0, that is owed. */
  lower(key: string, left: number): void;
  /** All of it, for whoever takes its place. */
  remembered(): RememberedRate;
}

export function createTokenRate(options: TokenRateOptions): OwnTokenRate {
  const { clock, remembered = [] } = options;
  const readAtMs = clock.now();
  const buckets = new Map<string, Bucket>(remembered.map(([key, left]) => [key, { left, readAtMs }]));
  const leftAt = ({ left, readAtMs }: Bucket, nowMs: number) =>
    Math.min(options.burst, left + (Math.max(0, nowMs - readAtMs) / 1000) * options.perSecond);

  /** A full bucket says no more than none at all. */
  function sweep(nowMs: number): void {
    for (const [key, bucket] of buckets) if (leftAt(bucket, nowMs) >= options.burst) buckets.delete(key);
  }

  function takeNow(key: string): number {
    const nowMs = clock.now();
    if (buckets.size > sweepAbove) sweep(nowMs);
    const bucket = buckets.get(key) ?? { left: options.burst, readAtMs: nowMs };
    const left = leftAt(bucket, nowMs);
    const taken = left >= 1;
    buckets.set(key, { left: taken ? left - 1 : left, readAtMs: nowMs });
    return taken ? 0 : Math.ceil((1 - left) / options.perSecond);
  }

  return {
    lower(key, left) {
      const nowMs = clock.now();
      const bucket = buckets.get(key) ?? { left: options.burst, readAtMs: nowMs };
      buckets.set(key, { left: Math.min(leftAt(bucket, nowMs), left), readAtMs: nowMs });
    },
    remembered() {
      const nowMs = clock.now();
      sweep(nowMs);
      return [...buckets].map(([key, bucket]) => [key, leftAt(bucket, nowMs)]);
    },
    takeNow,
    take: async (key) => takeNow(key),
  };
}
