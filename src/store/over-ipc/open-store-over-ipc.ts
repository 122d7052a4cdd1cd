/**
 * The store of a process that has none itself: asks the one that has, `serve-store.ts`, by whatever connection there is at the
 * moment, and keeps what it has read until it hears that it changed.
 */
import type { Logger } from 'pino';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import { createRowCache, type RowCacheOptions } from '../row-cache.ts';
import { tableNames } from '../rows.ts';
import type { Change, Store } from '../store.ts';
import { createOverIpcTransactions } from './over-ipc-transactions.ts';
import { aliveMethod, attachMethod, type Changed, changedMethod, type Heard } from './protocol.ts';
import { readOverIpc } from './read-over-ipc.ts';

export interface StoreOverIpcOptions {
  /** Stays open when the store is closed. */
  readonly supervisor: SteadyPeer;
  readonly log?: Logger;
  readonly cache?: RowCacheOptions;
}

/** Reads and transactions wait while there is no supervisor. */
export function openStoreOverIpc({ supervisor, log, cache: cacheOptions }: StoreOverIpcOptions): Store {
  const listeners = new Set<(changes: readonly Change[]) => void>();
  const reader = readOverIpc((method, params, largeAnswer) =>
    supervisor.request(method, params, { repeatable: true, largeAnswer }),
  );
  const cache = createRowCache(reader, cacheOptions);
  let heard: Heard | undefined;

  const tellListeners = (changes: readonly Change[]) => {
    for (const listener of listeners) {
      try {
        listener(changes);
      } catch (error) {
        log?.error({ err: error }, 'a listener of the store failed');
      }
    }
  };
  const onChanged = ({ server, count, transactions = [anything] }: Changed) => {
    heard = { server, count };
    for (const changes of transactions) cache.forget(changes);
    for (const changes of transactions) tellListeners(changes);
  };
  supervisor.serve(
    new Map<string, (params: unknown) => void>([
      [changedMethod, (params) => onChanged(params as Changed)],
      [aliveMethod, () => {}],
    ]),
  );
  supervisor.onConnect((peer) => {
    // In the turn in which nobody tells of changes any more.
    peer.onClose(cache.clear);
    peer.notify(attachMethod, heard);
  });

  const transactions = createOverIpcTransactions(supervisor);
  return {
    get: cache.get,
    find: cache.find,
    list: cache.list,
    isEmpty: cache.isEmpty,
    transact: transactions.run,
    onChange(listener) {
      const subscribed = (changes: readonly Change[]) => listener(changes);
      listeners.add(subscribed);
      return () => void listeners.delete(subscribed);
    },
    snapshot: () => supervisor.request('store.snapshot', undefined, { repeatable: true, largeAnswer: true }),
    close: transactions.close,
  };
}

const anything: readonly Change[] = tableNames.map((table) => ({ table }));
