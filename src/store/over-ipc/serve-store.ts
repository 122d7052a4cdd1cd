/**
 * A Store for other processes of the gateway: they read and write it by requests, read what they have read once from caches
 * of their own (`open-store-over-ipc.ts`), and know of each change before anybody is told that it was made.
 */

import type { Peer } from '../../ipc/peer.ts';
import type { Handler, OnFault } from '../../ipc/serving.ts';
import type { TableName } from '../schema.ts';
import type { Reader, Store } from '../store.ts';
import { UniqueViolation } from '../store.ts';
import { createClients } from './clients.ts';
import { createOpenTransactions, type OpenTransactions } from './open-transactions.ts';
import * as protocol from './protocol.ts';

export interface ServeStoreOptions {
  readonly store: Store;
  /**
   * A client said nothing for `silenceMs`, or its connection broke, so nobody knows what it reads: ends its process, and
   * resolves when it is gone. Changes are not acknowledged before.
   */
  readonly endClient: (peer: Peer, reason: string) => Promise<void>;
  readonly onFault: OnFault;
  /** 5 s. */
  readonly silenceMs?: number;
  /** Of the server before this one, where it left in order. */
  readonly follows?: protocol.Heard;
}

export interface StoreServer {
  /** For this process: as the one that is served, but a change is acknowledged when all clients know of it. */
  readonly store: Store;
  /** What a peer may ask, by method. */
  handlersFor(peer: Peer): ReadonlyMap<string, Handler>;
  /** No change is acknowledged before `promise` has settled: for clients of before that have not come yet. */
  waitFor(promise: Promise<unknown>): void;
  /** For the successor, when the store is closed. */
  heard(): protocol.Heard;
  /** Stops listening to the store, which it leaves open. */
  close(): void;
}

export function serveStore(options: ServeStoreOptions): StoreServer {
  const { store, endClient, onFault, silenceMs = 5_000, follows } = options;
  const clients = createClients({
    silenceMs,
    endClient,
    onFault: (error) => onFault(error, 'ending a client of the store'),
    follows,
  });
  const close = store.onChange(clients.tell);
  return {
    store: {
      ...store,
      async transact(work) {
        const result = await store.transact(work);
        await clients.allKnow();
        return result;
      },
    },
    handlersFor(peer) {
      const transactions = createOpenTransactions({
        store,
        silenceMs,
        onBegun: () => holdWhileAlive(peer, silenceMs, (reason) => clients.giveUp(peer, reason)),
      });
      peer.onClose((reason) => transactions.abortAll(reason));
      return new Map([
        [protocol.attachMethod, (heard) => clients.attach(peer, heardFrom(heard))],
        ...readingHandlers(store, transactions),
        ...writingHandlers(transactions, clients.allKnow),
        ['store.snapshot', () => store.snapshot()],
      ]);
    },
    waitFor: clients.waitFor,
    heard: clients.heard,
    close,
  };
}

/** Whoever keeps everybody waiting must be alive. The returned function ends the watch. */
function holdWhileAlive(peer: Peer, silenceMs: number, giveUp: (reason: string) => void): () => void {
  const release = peer.hold();
  const everyMs = silenceMs / 5;
  const deadlineMs = silenceMs - everyMs;
  let over = false;
  const ask = () => {
    peer.request(protocol.aliveMethod, undefined, { deadlineMs }).then(
      () => over || timer.refresh(),
      (error: Error) => over || giveUp(error.message),
    );
  };
  const timer = setTimeout(ask, everyMs);
  return () => {
    over = true;
    clearTimeout(timer);
    release();
  };
}

function heardFrom(value: unknown): protocol.Heard | undefined {
  const { server, count } = (value ?? {}) as Partial<protocol.Heard>;
  return typeof server === 'string' && Number.isSafeInteger(count)
    ? { server, count: count as number }
    : undefined;
}

function readingHandlers(store: Reader, transactions: OpenTransactions): Iterable<[string, Handler]> {
  const { checkTable, checkText } = protocol;
  const read =
    <Params>(answer: (reader: Reader, of: Params) => Promise<unknown>): Handler =>
    (params) => {
      const { of, in: number } = params as protocol.ReadParams<Params>;
      return answer(number === undefined ? store : transactions.get(number), of);
    };
  return Object.entries({
    'store.get': read<protocol.GetParams>((reader, [table, id]) =>
      reader.get(checkTable(table), checkText(id)),
    ),
    'store.find': read<protocol.FindParams>((reader, [table, field, value]) =>
      reader.find(checkTable(table), checkText(field) as never, checkText(value)),
    ),
    'store.list': read<protocol.ListParams>((reader, [table, ...having]) =>
      having.length === 0
        ? reader.list(checkTable(table))
        : reader.list(checkTable(table), checkText(having[0]) as never, checkText(having[1])),
    ),
    'store.isEmpty': read<TableName>((reader, table) => reader.isEmpty(checkTable(table))),
  });
}

function writingHandlers(
  transactions: OpenTransactions,
  allKnow: () => Promise<unknown>,
): Iterable<[string, Handler]> {
  return Object.entries<Handler>({
    'store.begin': (number) => transactions.begin(number as number),
    'store.put': async (params): Promise<protocol.PutAnswer> => {
      const [number, table, row] = params as protocol.PutParams;
      try {
        await transactions.get(number).put(protocol.checkTable(table), row as never);
        return undefined;
      } catch (error) {
        if (error instanceof UniqueViolation) return { taken: error.field };
        throw error;
      }
    },
    'store.remove': (params) => {
      const [number, table, id] = params as protocol.RemoveParams;
      return transactions.get(number).remove(protocol.checkTable(table), protocol.checkText(id));
    },
    'store.commit': async (number) => {
      await transactions.commit(number as number);
      await allKnow();
    },
    'store.abort': (number) => transactions.abort(number as number),
  });
}
