/** A map of what expires, in whole seconds, that finds what expires soonest without looking at the rest. */
export interface SoonestFirst<Value extends { expiresAt: number }> {
  readonly size: number;
  get(key: string): Value | undefined;
  /** Puts it in, or gives what is in another end. */
  put(key: string, value: Value, expiresAt: number): void;
  remove(key: string): boolean;
  /** What expires at `now` or before is forgotten. */
  forgetUntil(now: number): void;
  dropSoonest(): void;
  all(): readonly (readonly [string, Value])[];
}

export function createSoonestFirst<Value extends { expiresAt: number }>(): SoonestFirst<Value> {
  const values = new Map<string, Value>();
  /** Keys by the second that they expire in; no second is without keys. */
  const bySecond = new Map<number, Set<string>>();

  function unlink(key: string, second: number): void {
    const keys = bySecond.get(second);
    keys?.delete(key);
    if (keys?.size === 0) bySecond.delete(second);
  }

  function remove(key: string): boolean {
    const value = values.get(key);
    if (!value) return false;
    unlink(key, value.expiresAt);
    return values.delete(key);
  }

  return {
    get size() {
      return values.size;
    },
    get: (key) => values.get(key),
    put(key, value, expiresAt) {
      if (values.has(key)) unlink(key, value.expiresAt);
      value.expiresAt = expiresAt;
      values.set(key, value);
      const keys = bySecond.get(expiresAt) ?? new Set();
      bySecond.set(expiresAt, keys.add(key));
    },
    remove,
    forgetUntil(now) {
      for (const [second, keys] of bySecond) {
        if (second > now) continue;
        for (const key of keys) values.delete(key);
        bySecond.delete(second);
      }
    },
    dropSoonest() {
      let soonest = Number.POSITIVE_INFINITY;
      for (const second of bySecond.keys()) soonest = Math.min(soonest, second);
      const [key] = bySecond.get(soonest) ?? [];
      if (key !== undefined) remove(key);
    },
    all: () => [...values],
  };
}
