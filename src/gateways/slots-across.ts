/**
 * Slots of all gateways on one database. Each says what it has and how many more it wants, in one round trip: whatever is taken
 * or given back while one is under way goes with the next. As a count takes the place of the one before, none that was
 * lost, or came twice, does harm.
 */
import { type GiveBack, onlyOnce, type SharedSlots } from '../platform/slots.ts';
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

/** `take` throws store-unavailable. */
export function slotsAcross({ others, own, isShared, aloneMs }: SlotsAcrossOptions): SharedSlots {
  const held = new Map<string, number>();
  const untold = new Set<string>();
  const wanting = new Map<string, Wanting[]>();
  let isTelling = false;

  function change(name: string, by: number): void {
    const count = (held.get(name) ?? 0) + by;
    if (count === 0) held.delete(name);
    else held.set(name, count);
  }
  const giveBackOf = (name: string): GiveBack =>
    onlyOnce(() => {
      change(name, -1);
      untold.add(name);
      void tell();
    });

  function give(name: string, all: readonly Wanting[], count: number): void {
    change(name, Math.max(0, Math.min(count, all.length)));
    all.forEach(({ resolve }, index) => {
      resolve(index < count ? giveBackOf(name) : undefined);
    });
  }

  function giveAlone(name: string, all: readonly Wanting[], error: unknown): void {
    untold.add(name);
    if (others.ageMs() < aloneMs()) give(name, all, limitOf(all) - (held.get(name) ?? 0));
    else for (const { reject } of all) reject(error);
  }

  /** Throws where the others are not reached: then all of it is to be told still. */
  async function tellSome(): Promise<void> {
    const names = [...new Set([...wanting.keys(), ...untold])].slice(0, atOnce);
    const asked = names.map((name) => ({ name, all: wanting.get(name) ?? [] }));
    for (const name of names) {
      wanting.delete(name);
      untold.delete(name);
    }
    try {
      const granted = await others.countSlots(
        asked.map(({ name, all }) => ({
          name,
          held: held.get(name) ?? 0,
          wanted: all.length,
          limit: limitOf(all),
        })),
      );
      for (const [index, { name, all }] of asked.entries()) give(name, all, granted[index] ?? 0);
    } catch (error) {
      for (const { name, all } of asked) giveAlone(name, all, error);
      throw error;
    }
  }

  async function tell(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    try {
      while (wanting.size > 0 || untold.size > 0) await tellSome();
    } catch {
      // `onReach` goes on with it, or whoever wants one next.
    } finally {
      isTelling = false;
    }
    if (wanting.size > 0) await tell();
  }

  others.onReach(() => {
    for (const name of held.keys()) untold.add(name);
    void tell();
  });

  return {
    adopt(name) {
      if (!isShared(name)) return own.adopt(name);
      change(name, 1);
      untold.add(name);
      void tell();
      return giveBackOf(name);
    },
    async take(name, limit) {
      if (!isShared(name)) return own.take(name, limit);
      if ((held.get(name) ?? 0) >= limit) return undefined;
      const taken = new Promise<GiveBack | undefined>((resolve, reject) => {
        wanting.set(name, [...(wanting.get(name) ?? []), { limit, resolve, reject }]);
      });
      void tell();
      return taken;
    },
  };
}

/** They differ only while a reload is under way. */
const limitOf = (all: readonly Wanting[]): number => all.at(-1)?.limit ?? 0;
