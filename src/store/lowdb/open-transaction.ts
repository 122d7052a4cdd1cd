/** A layer as the port's Transaction, until its work has ended. */

import type { Layer, View } from '../layer.ts';
import type { Reader, Transaction } from '../store.ts';

/** The port's Reader over whatever view is current. */
export function readerOf(view: () => View): Reader {
  return {
    get: async (table, id) => view().get(table, id) as never,
    find: async (table, field, value) => view().find(table, field, value) as never,
    list: async (table, field, value) => view().list(table, field, value) as never,
    isEmpty: async (table) => view().isEmpty(table),
  };
}

export function openTransaction(layer: Layer): { transaction: Transaction; end: () => void } {
  let ended = false;
  const open = (): Layer => {
    if (ended) throw new Error('this transaction has ended');
    return layer;
  };
  const transaction: Transaction = {
    ...readerOf(open),
    put: async (table, row) => open().put(table, row),
    remove: async (table, id) => open().remove(table, id),
  };
  return {
    transaction,
    end: () => {
      ended = true;
    },
  };
}
