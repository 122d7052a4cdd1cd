/** What there is only so much of in the whole gateway, by name: sessions of an account, installations in a container. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Slots {
  /** Takes one of `limit` that there are of `name`; resolves to what gives it back, and to undefined when all are taken. */
  take(name: string, limit: number): Promise<GiveBack | undefined>;
}

/** Idempotent. */
export type GiveBack = () => void;

/** Where they are counted. */
export interface SlotBook {
  take(name: string, limit: number): GiveBack | undefined;
}

export function createSlotBook(): SlotBook {
  const taken = new Map<string, number>();
  return {
    take(name, limit) {
      const before = taken.get(name) ?? 0;
      if (before >= limit) return undefined;
      taken.set(name, before + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (taken.get(name) ?? 1) - 1;
        if (left === 0) taken.delete(name);
        else taken.set(name, left);
      };
    },
  };
}

export function createSlots(book: SlotBook = createSlotBook()): Slots {
  return { take: async (name, limit) => book.take(name, limit) };
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
