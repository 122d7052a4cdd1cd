/** A store, with somebody told how long each transaction took until it was on the disk. */
import type { Store } from '../store/store.ts';
import { type Meter, stopwatch } from './meter.ts';

export function measuredStore(store: Store, meter: Pick<Meter, 'storeWorked'>): Store {
  return {
    ...store,
    async transact(work) {
      const seconds = stopwatch();
      let refused = false;
      const watched: typeof work = async (transaction) => {
        try {
          return await work(transaction);
        } catch (error) {
          // A rule said no: the store is sound.
          refused = true;
          throw error;
        }
      };
      try {
        const result = await store.transact(watched);
        meter.storeWorked('transaction', seconds(), false);
        return result;
      } catch (error) {
        meter.storeWorked('transaction', seconds(), !refused);
        throw error;
      }
    },
  };
}
