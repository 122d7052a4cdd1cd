/**
 * What is ours of objects that are somebody else's, for as long as those are reached. Used as a WeakMap is, but kept in the object: an
 * entry of a WeakMap costs a hash, a place in a table that is copied as it grows, and a look at each collection. With several for each
 * connection, that was some 7 % of a login's processor.
 */
export interface SideMap<Key extends object, Value> {
  get(key: Key): Value | undefined;
  has(key: Key): boolean;
  /** Throws a TypeError where the key is frozen. */
  set(key: Key, value: Value): void;
}

/** `name`: for whoever looks at such an object in a debugger. */
export function createSideMap<Key extends object, Value>(name: string): SideMap<Key, Value> {
  const property = Symbol(name);
  type Noted = Key & { [property]?: Value };
  return {
    get: (key) => (key as Noted)[property],
    has: (key) => (key as Noted)[property] !== undefined,
    set(key, value) {
      (key as Noted)[property] = value;
    },
  };
}
