import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../../src/errors.ts';
import type { Change, Store } from '../../../../src/store/store.ts';
import { accountRow } from '../../../support/store-rows.ts';
import { accountIds, clientOf, expectUnacknowledgedUntil, servedFolder } from './served.ts';

/** Adds an account and counts it in the same transaction, as fast as it goes, until it is told to stop. */
function startLoad(stores: readonly Store[]) {
  const acknowledged: string[] = [];
  const failures: { id: string; error: unknown }[] = [];
  let over = false;
  const add = (store: Store, id: string) =>
    store.transact(async (t) => {
      const count = Number((await t.get('accounts', 'count'))?.name ?? 0);
      await t.put('accounts', accountRow('count', String(count + 1)));
      await t.put('accounts', accountRow(id));
    });
  const running = stores.flatMap((store, client) =>
    Array.from({ length: 4 }, async (_, lane) => {
      for (let index = 0; !over; index++) {
        const id = `n${client}-${lane}-${index}`;
        await add(store, id).then(
          () => acknowledged.push(id),
          (error: unknown) => failures.push({ id, error }),
        );
      }
    }),
  );
  return {
    acknowledged,
    failures,
    async stop() {
      over = true;
      await Promise.all(running);
    },
  };
}

const added = async (store: Store) => (await accountIds(store)).filter((id) => id !== 'count');
const counted = async (store: Store) => Number((await store.get('accounts', 'count'))?.name);

describe('a server that leaves in order', () => {
  it('leaves its clients to the next one, with nothing lost, refused or done twice', async () => {
    const folder = await servedFolder();
    let served = await folder.serve();
    const stores = [clientOf(folder.path), clientOf(folder.path)];
    const seen: (readonly Change[])[] = [];
    stores[0]?.onChange((changes) => seen.push(changes));
    const load = startLoad(stores);
    for (let round = 0; round < 8; round++) {
      const { length } = load.acknowledged;
      await expect.poll(() => load.acknowledged.length).toBeGreaterThan(length + 8);
      const follows = await served.leave();
      served = await folder.serve({ follows });
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    const all = await added(served.store);
    expect(all.toSorted()).toEqual(load.acknowledged.toSorted());
    expect(await counted(served.store)).toBe(all.length);
    // Each change was heard of, once, and nothing had to be looked at again.
    expect(seen.map((changes) => changes.length)).toEqual(seen.map(() => 2));
    expect(seen).toHaveLength(all.length);
  });
});

describe('a server that dies', () => {
  it('loses nothing that was acknowledged, and whoever was not answered is told what is known', async () => {
    const folder = await servedFolder();
    let served = await folder.serve();
    const stores = [clientOf(folder.path), clientOf(folder.path)];
    const load = startLoad(stores);
    for (let round = 0; round < 5; round++) {
      const { length } = load.acknowledged;
      await expect.poll(() => load.acknowledged.length).toBeGreaterThan(length + 5);
      await delay(Math.random() * 10);
      await served.crash();
      served = await folder.serve();
    }
    await load.stop();
    const all = new Set(await added(served.store));
    expect(load.acknowledged.filter((id) => !all.has(id))).toEqual([]);
    expect(await counted(served.store)).toBe(all.size);
    for (const { id, error } of load.failures) {
      if (!isGatewayError(error, 'store-write-failed')) throw error;
      if (error.params.mayBeMade !== true) expect(all).not.toContain(id);
    }
  });

  it('may have made changes that nobody heard of: listeners are told to look at everything', async () => {
    const folder = await servedFolder();
    const first = await folder.serve();
    const store = clientOf(folder.path);
    await first.server.store.transact((t) => t.put('accounts', accountRow('1')));
    expect((await store.get('accounts', '1'))?.disabled).toBe(false);
    const seen: Change[] = [];
    store.onChange((changes) => seen.push(...changes));
    await first.listener.close();
    await first.store.transact((t) => t.put('accounts', accountRow('1', '1', { disabled: true })));
    await first.store.close();
    await folder.serve();
    expect((await store.get('accounts', '1'))?.disabled).toBe(true);
    expect(seen).toContainEqual({ table: 'accounts' });
    expect(seen.every(({ id }) => id === undefined)).toBe(true);
  });

  it('is succeeded by one that tells clients what was changed before they came back', async () => {
    const folder = await servedFolder();
    const first = await folder.serve();
    const store = clientOf(folder.path);
    await store.transact((t) => t.put('accounts', accountRow('1')));
    const seen: Change[] = [];
    store.onChange((changes) => seen.push(...changes));
    const follows = await first.leave();
    const second = await folder.serve({ follows });
    const changed = second.server.store.transact((t) => t.remove('accounts', '1'));
    await expect.poll(() => seen).toEqual([{ table: 'accounts', id: '1' }]);
    await changed;
    expect(await store.get('accounts', '1')).toBeUndefined();
  });

  it('acknowledges no change before those have settled whom it was told to wait for', async () => {
    const folder = await servedFolder();
    const { server } = await folder.serve();
    const awaited = Promise.withResolvers<void>();
    server.waitFor(awaited.promise);
    await expectUnacknowledgedUntil(awaited, server.store);
  });
});
