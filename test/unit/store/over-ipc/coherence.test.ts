import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../../src/store/store.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { accountRow, keyRow } from '../../../support/store-rows.ts';
import { clientOf, clientProcessOf, servedFolder } from './served.ts';

const rounds = 2_000;
const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;
const ids = ['a', 'b', 'c', 'd'];
const owners = ['1', '2'];

/** What a store says of all keys, asked in each way there is. */
async function askedInEachWay(store: Store): Promise<string[]> {
  const byId = await Promise.all(ids.map((id) => store.get('keys', id)));
  const byFingerprint = await Promise.all(ids.map((id) => store.find('keys', 'fingerprint', `SHA256:${id}`)));
  const byOwner = await Promise.all(owners.map((owner) => store.list('keys', 'accountId', owner)));
  const all = await store.list('keys');
  const told = (rows: readonly ({ id: string; accountId: string } | undefined)[]) =>
    rows
      .flatMap((row) => (row ? [`${row.id} of ${row.accountId}`] : []))
      .toSorted()
      .join();
  return [byId, byFingerprint, byOwner.flat(), all].map(told);
}

describe('a change', () => {
  it(`is known to every client in the moment it is acknowledged, over ${rounds} random ones`, async () => {
    const folder = await servedFolder();
    const { server } = await folder.serve({ store: createMemoryStore() });
    const stores = [clientOf(folder.path), clientOf(folder.path), clientOf(folder.path), server.store];
    const heard = stores.map(() => 0);
    stores.forEach((store, index) => {
      store.onChange(() => {
        heard[index] = (heard[index] as number) + 1;
      });
    });
    await Promise.all(stores.map((store) => store.list('keys')));
    let over = false;
    // Answers to these are under way at any moment.
    const readers = stores.map(async (store) => {
      for (; !over; await nextTurn()) await askedInEachWay(store);
    });
    const model = new Map<string, string>();
    for (let round = 1; round <= rounds; round++) {
      const [id, owner] = [pick(ids), pick(owners)];
      const removes = model.has(id) && Math.random() < 0.5;
      await pick(stores).transact((t) => (removes ? t.remove('keys', id) : t.put('keys', keyRow(id, owner))));
      if (removes) model.delete(id);
      else model.set(id, owner);
      expect(heard).toEqual(stores.map(() => round));
      const expected = [...model].map(([key, of]) => `${key} of ${of}`).toSorted();
      const answers = await Promise.all(stores.map(askedInEachWay));
      expect(answers.flat()).toEqual(Array(16).fill(expected.join()));
    }
    over = true;
    await Promise.all(readers);
  });

  it('is known to a client in another process, too', async () => {
    const folder = await servedFolder();
    await folder.serve();
    const store = clientOf(folder.path);
    const other = await clientProcessOf(folder.path);
    for (let round = 0; round < 50; round++) {
      await store.transact((t) => t.put('accounts', accountRow('1', `n${round}`)));
      expect(await other.order('get 1')).toMatchObject({ name: `n${round}` });
      await store.transact((t) => t.remove('accounts', '1'));
      expect(await other.order('get 1')).toBeNull();
    }
  });
});
