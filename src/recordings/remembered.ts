/** What is remembered of a peer, who sends what they like: so many entries, and names so long together. */
export interface Remembered<Key, Value> {
  find(key: Key): Value | undefined;
  /** One that is there already is replaced. */
  set(key: Key, value: Value): void;
  /** Takes it out. */
  take(key: Key): Value | undefined;
  oldest(): Key | undefined;
  isFull(): boolean;
}

export interface Bounds<Value> {
  readonly entries: number;
  /** In characters, of all together. */
  readonly names: number;
  readonly lengthOf: (value: Value) => number;
}

export function createRemembered<Key, Value>({
  entries,
  names,
  lengthOf,
}: Bounds<Value>): Remembered<Key, Value> {
  const known = new Map<Key, Value>();
  let length = 0;
  const take = (key: Key) => {
    const value = known.get(key);
    if (value === undefined) return undefined;
    known.delete(key);
    length -= lengthOf(value);
    return value;
  };
  return {
    find: (key) => known.get(key),
    set(key, value) {
      take(key);
      known.set(key, value);
      length += lengthOf(value);
    },
    take,
    oldest: () => known.keys().next().value,
    isFull: () => known.size >= entries || length >= names,
  };
}
