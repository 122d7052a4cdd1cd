/** What there is only so much of in the whole gateway, by name: sessions of an account, installations in a container. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Slots {
  /** Takes one of `limit` that there are of `name`; resolves to what gives it back, and to undefined when all are taken. */
  take(name: string, limit: number): Promise<GiveBack | undefined>;
  /** One will most likely be taken in a moment: where that needs an answer of another process, it is asked for now. */
  expect?(name: string, limit: number): void;
}

/** Where they are taken for other processes, too. */
export interface SharedSlots extends Slots {
  /** Whoever says so has one of `name` already, whatever the limit. */
  adopt(name: string): GiveBack;
}

/** Idempotent. */
export type GiveBack = () => void;

/** `work`, at the first call alone. */
export function onlyOnce(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}

/** How many there are of each name. Of those that there are none of, nothing is kept. */
export function createTally() {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  return {
    of,
    names: () => counts.keys(),
    change(name: string, by: number): void {
      const count = of(name) + by;
      if (count === 0) counts.delete(name);
      else counts.set(name, count);
    },
  };
}

/** Counted in this process. */
export function createSlots(): SharedSlots {
  const taken = createTally();
  const adopt = (name: string) => {
    taken.change(name, 1);
    return onlyOnce(() => taken.change(name, -1));
  };
  return {
    adopt,
    take: async (name, limit) => (taken.of(name) < limit ? adopt(name) : undefined),
  };
}

const askAgainMs = 50;

/** Runs `work` when nobody else in the gateway runs any of that name. */
export async function inTurn<Result>(
  slots: Slots,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  let giveBack = await slots.take(name, 1);
  while (!giveBack) {
    await pause(askAgainMs);
    giveBack = await slots.take(name, 1);
  }
  try {
    return await work();
  } finally {
    giveBack();
  }
}
