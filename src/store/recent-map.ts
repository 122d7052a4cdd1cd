/**
 * A bounded map of what was used lately. Two generations: when the younger is full it becomes the older, whose entries
 * move back when they are used. A look-up of what is used often costs one look-up.
 */
export interface RecentMap<Value> {
  get(key: string): Value | undefined;
  /** `weight` counts towards the bound; what is heavier than all of it is not kept. */
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
  clear(): void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
}

/** Holds between `maxWeight` / 2 and `maxWeight` of what was used last. */
export function createRecentMap<Value>(maxWeight: number): RecentMap<Value> {
  const perGeneration = maxWeight / 2;
  let younger = new Map<string, Entry<Value>>();
  let older = new Map<string, Entry<Value>>();
  let youngerWeight = 0;

  function put(key: string, entry: Entry<Value>): void {
    youngerWeight += entry.weight - (younger.get(key)?.weight ?? 0);
    younger.set(key, entry);
    if (youngerWeight <= perGeneration) return;
    older = younger;
    younger = new Map();
    youngerWeight = 0;
  }

  function drop(key: string): void {
    youngerWeight -= younger.get(key)?.weight ?? 0;
    younger.delete(key);
    older.delete(key);
  }

  return {
    get(key) {
      const young = younger.get(key);
      const entry = young ?? older.get(key);
      if (entry === undefined) return undefined;
      if (young === undefined) put(key, entry);
      return entry.value;
    },
    set(key, value, weight = 1) {
      drop(key);
      if (weight > perGeneration) return;
      put(key, { value, weight });
    },
    delete: drop,
    clear() {
      younger.clear();
      older.clear();
      youngerWeight = 0;
    },
  };
}
