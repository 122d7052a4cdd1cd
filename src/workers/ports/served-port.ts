/** The supervisor's end of a port, and what both ends need to read of each other, who may be of different versions. */
import type { Peer } from '../../ipc/peer.ts';
import type { Handler } from '../../ipc/serving.ts';

export interface ServedPort {
  /** What this worker may ask for by this connection, by method. Called once for each connection. */
  handlersFor(worker: string, peer: Peer): Iterable<readonly [string, Handler]>;
  /** It is dead: what it held is given back. */
  gone(worker: string): void;
}

/** One that holds nothing for anybody. */
export const servesAll = (handlers: Readonly<Record<string, Handler>>): ServedPort => ({
  handlersFor: () => Object.entries(handlers),
  gone: () => {},
});

/** Of each worker what it holds. */
export function createHoldings<Holding>(create: () => Holding) {
  const holdings = new Map<string, Holding>();
  return {
    of(worker: string): Holding {
      const found = holdings.get(worker) ?? create();
      holdings.set(worker, found);
      return found;
    },
    /** Undefined: it held nothing. */
    take(worker: string): Holding | undefined {
      const found = holdings.get(worker);
      holdings.delete(worker);
      return found;
    },
  };
}

/** Throws a TypeError. */
export function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected');
  return value;
}

/** Whole, and not below 0. Throws a TypeError. */
export function asCount(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError('a count was expected');
  return value as number;
}

/** Throws a TypeError. */
export function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list was expected');
  return value;
}
