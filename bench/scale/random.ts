/** Chance that is the same for the same seed. */
export interface Chance {
  /** Evenly from 0 to below 1. */
  next(): number;
  exponential(mean: number): number;
}

/** xorshift128, begun by splitting the seed. */
export function createChance(seed: number): Chance {
  let split = seed >>> 0;
  const word = () => {
    split = (split + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(split ^ (split >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const state = [word(), word(), word(), word() | 1] as [number, number, number, number];
  const next = () => {
    const [x, y, z, w] = state;
    const shifted = x ^ (x << 11);
    state[0] = y;
    state[1] = z;
    state[2] = w;
    state[3] = (w ^ (w >>> 19) ^ shifted ^ (shifted >>> 8)) >>> 0;
    return state[3] / 2 ** 32;
  };
  return { next, exponential: (mean) => -Math.log(1 - next()) * mean };
}
