/**
 * Transactions of other processes: each holds the store's lock from its begin to its end, so it ends whatever happens: by
 * commit or abort, with its connection, after some seconds of silence, and after half a minute in any case.
 */
import { GatewayError } from '../../errors.ts';
import type { Store, Transaction } from '../store.ts';

export interface OpenTransactions {
  /** Resolves when the transaction runs alone. Rejects when it cannot, or was ended meanwhile. */
  begin(number: number): Promise<void>;
  /** For one step. Throws store-write-failed where it has ended. */
  get(number: number): Transaction;
  /** Resolves when it is on disk. */
  commit(number: number): Promise<void>;
  /** Nothing that is not open is no error. */
  abort(number: number, reason?: string): void;
  abortAll(reason: string): void;
}

export interface OpenTransactionsOptions {
  readonly store: Store;
  readonly silenceMs: number;
  /** Called at each begin; the returned function at its end. */
  readonly onBegun: () => () => void;
}

interface Open {
  /** Undefined until it has the lock. */
  transaction?: Transaction;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
  /** How the store's own transaction ended. */
  settled?: Promise<void>;
  timer?: NodeJS.Timeout;
}

const maxMs = 30_000;
const maxOpen = 64;

const notMade = (reason: string) => new GatewayError('store-write-failed', { reason });

export function createOpenTransactions(options: OpenTransactionsOptions): OpenTransactions {
  const { store, silenceMs, onBegun } = options;
  const open = new Map<number, Open>();
  const find = (number: number): Open & { transaction: Transaction } => {
    const found = open.get(number);
    if (!found?.transaction) throw notMade('its transaction took too long and was ended');
    return found as Open & { transaction: Transaction };
  };
  const watch = (number: number, found: Open) => {
    clearTimeout(found.timer);
    const reason = `nothing was heard of it for ${silenceMs / 1000} s`;
    found.timer = setTimeout(() => end(number, reason), silenceMs);
  };
  function end(number: number, reason: string): void {
    const found = open.get(number);
    open.delete(number);
    clearTimeout(found?.timer);
    found?.fail(notMade(reason));
  }

  return {
    async begin(number) {
      if (open.size >= maxOpen || open.has(number)) throw notMade('too many are open');
      const work = Promise.withResolvers<void>();
      work.promise.catch(() => {});
      const begun = Promise.withResolvers<void>();
      const mine: Open = { finish: work.resolve, fail: work.reject };
      open.set(number, mine);
      const release = onBegun();
      const runAlone = (transaction: Transaction) => {
        // It may have been ended while it waited.
        if (open.get(number) !== mine) return work.promise;
        mine.transaction = transaction;
        watch(number, mine);
        begun.resolve();
        const limit = setTimeout(() => end(number, `it took ${maxMs / 1000} s`), maxMs);
        return work.promise.finally(() => clearTimeout(limit));
      };
      mine.settled = store.transact(runAlone).finally(() => {
        if (open.get(number) === mine) open.delete(number);
        clearTimeout(mine.timer);
        release();
      });
      await Promise.race([begun.promise, mine.settled]);
    },

    get(number) {
      const found = find(number);
      watch(number, found);
      return found.transaction;
    },

    async commit(number) {
      const found = find(number);
      open.delete(number);
      clearTimeout(found.timer);
      found.finish();
      await found.settled;
    },

    abort: (number, reason = 'it was given up') => end(number, reason),

    abortAll(reason) {
      for (const number of [...open.keys()]) end(number, reason);
    },
  };
}
