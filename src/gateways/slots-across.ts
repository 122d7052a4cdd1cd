/**
 * Slots of all gateways on one database. Each says what it has and how many more it wants, in one round trip: whatever is taken
 * or given back while one is under way goes with the next. As a count takes the place of the one before, none that was
 * lost, or came twice, does harm.
 */
import { createTally, type GiveBack, onlyOnce, type SharedSlots } from '../platform/slots.ts';
import type { OtherGateways } from './other-gateways.ts';

export interface SlotsAcrossOptions {
  readonly others: Pick<OtherGateways, 'countSlots' | 'onReach' | 'ageMs'>;
  /** For what is each gateway's own. */
  readonly own: SharedSlots;
  readonly isShared: (name: string) => boolean;
  /** Slots are counted here alone where the database has not answered for less than this; after that none is given. */
  readonly aloneMs: () => number;
}

interface Wanting {
  readonly limit: number;
  readonly resolve: (given: GiveBack | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const atOnce = 1_000;

/** Those who want slots of one name; it may be nobody. */
interface Wanted {
  readonly name: string;
  readonly all: readonly Wanting[];
}

/** `take` throws store-unavailable. */
export function slotsAcross(options: SlotsAcrossOptions): SharedSlots {
  const { others, own, isShared, aloneMs } = options;
  const counts = createCounts();
  const giveBackOf = (name: string): GiveBack =>
    onlyOnce(() => {
      counts.change(name, -1);
      counts.markUntold(name);
      tell();
    });
  function give({ name, all }: Wanted, count: number): void {
    counts.change(name, Math.max(0, Math.min(count, all.length)));
    for (const [index, { resolve }] of all.entries()) resolve(index < count ? giveBackOf(name) : undefined);
  }
  function giveAlone(wanted: Wanted, error: unknown): void {
    counts.markUntold(wanted.name);
    if (others.ageMs() < aloneMs()) give(wanted, limitOf(wanted) - counts.held(wanted.name));
    else for (const { reject } of wanted.all) reject(error);
  }
  const tell = createTelling(counts, async (told) => {
    try {
      const granted = await others.countSlots(told.map((wanted) => counts.of(wanted)));
      for (const [index, wanted] of told.entries()) give(wanted, granted[index] ?? 0);
    } catch (error) {
      for (const wanted of told) giveAlone(wanted, error);
      throw error;
    }
  });
  others.onReach(() => {
    counts.markAllUntold();
    tell();
  });
  return {
    adopt(name) {
      if (!isShared(name)) return own.adopt(name);
      counts.change(name, 1);
      counts.markUntold(name);
      tell();
      return giveBackOf(name);
    },
    async take(name, limit) {
      if (!isShared(name)) return own.take(name, limit);
      if (counts.held(name) >= limit) return undefined;
      const { promise, resolve, reject } = Promise.withResolvers<GiveBack | undefined>();
      counts.want(name, { limit, resolve, reject });
      tell();
      return promise;
    },
  };
}

type Counts = ReturnType<typeof createCounts>;

/** What is held here, what of that the others have not heard of, and what is wanted. */
function createCounts() {
  const held = createTally();
  const untold = new Set<string>();
  const wanting = new Map<string, Wanting[]>();
  return {
    held: held.of,
    change: held.change,
    markUntold: (name: string) => void untold.add(name),
    markAllUntold(): void {
      for (const name of held.names()) untold.add(name);
    },
    want: (name: string, one: Wanting) => void wanting.set(name, [...(wanting.get(name) ?? []), one]),
    isWanted: () => wanting.size > 0,
    isToTell: () => wanting.size > 0 || untold.size > 0,
    /** What is to be told next, which counts as told then. */
    takeNext(): readonly Wanted[] {
      const names = [...new Set([...wanting.keys(), ...untold])].slice(0, atOnce);
      return names.map((name) => {
        const all = wanting.get(name) ?? [];
        wanting.delete(name);
        untold.delete(name);
        return { name, all };
      });
    },
    of: (wanted: Wanted) => ({
      name: wanted.name,
      held: held.of(wanted.name),
      wanted: wanted.all.length,
      limit: limitOf(wanted),
    }),
  };
}

/** Tells one thing after the other, until all is told, or the others are not reached: `onReach` goes on then, or who wants one next. */
function createTelling(counts: Counts, tellSome: (told: readonly Wanted[]) => Promise<void>): () => void {
  let isTelling = false;
  async function tell(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    try {
      while (counts.isToTell()) await tellSome(counts.takeNext());
    } catch {
      // Told again as above.
    } finally {
      isTelling = false;
    }
    if (counts.isWanted()) await tell();
  }
  return () => void tell();
}

/** They differ only while a reload is under way. */
const limitOf = ({ all }: Wanted): number => all.at(-1)?.limit ?? 0;
