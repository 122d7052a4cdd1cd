/** Numbers that look like chance and follow from a seed: the same at each run and on each machine. */

export interface Random {
  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
}

/** sfc32 of PractRand. */
export function createRandom(seed: string): Random {
  let a = hashOf(`a ${seed}`);
  let b = hashOf(`b ${seed}`);
  let c = hashOf(`c ${seed}`);
  let counter = 1;
  const next = () => {
    const result = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  const below = (limit: number) => next() % limit;
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (items) => items[below(items.length)] as never,
    bytes: (length) => Buffer.from(Uint8Array.from({ length }, () => next() & 0xff)),
  };
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash;
}
