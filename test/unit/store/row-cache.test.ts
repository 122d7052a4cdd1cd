import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRecentMap } from '../../../src/store/recent-map.ts';
import { createRowCache } from '../../../src/store/row-cache.ts';
import type { Reader } from '../../../src/store/store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { accountRow, keyRow } from '../../support/store-rows.ts';

/** A store, how often it was asked, and a gate that its answers wait at. */
function countedStore() {
  const store = createMemoryStore();
  const counted = { store, asked: 0, gate: Promise.resolve() as Promise<unknown> };
  const count = (method: keyof Reader) => async (table: never, field: never, value: never) => {
    counted.asked += 1;
    const answer: unknown = await store[method](table, field, value);
    await counted.gate;
    return answer;
  };
  const reader = { get: count('get'), find: count('find'), list: count('list') } as unknown as Reader;
  return { counted, reader };
}

describe('a cache of rows', () => {
  let { counted, reader } = countedStore();
  let cache = createRowCache(reader);

  beforeEach(async () => {
    ({ counted, reader } = countedStore());
    cache = createRowCache(reader);
    await counted.store.transact(async (t) => {
      await t.put('keys', keyRow('k', '1'));
      await t.put('keys', keyRow('l', '1'));
    });
    counted.store.onChange(cache.forget);
  });

  const readAll = async () => [
    await cache.get('keys', 'k'),
    await cache.find('keys', 'fingerprint', 'SHA256:k'),
    await cache.find('keys', 'fingerprint', 'SHA256:other'),
    (await cache.list('keys', 'accountId', '1')).map(({ id }) => id),
    (await cache.list('keys')).length,
  ];

  it('asks once, also for what is not there, and for one thing at a time', async () => {
    const [first] = await Promise.all([readAll(), cache.get('keys', 'k'), cache.get('keys', 'k')]);
    expect(await readAll()).toEqual(first);
    expect(counted.asked).toBe(5);
  });

  it('finds a row no more by a value that it had, and by the one that it has, after each kind of change', async () => {
    await readAll();
    await counted.store.transact((t) => t.put('keys', keyRow('k', '2', { fingerprint: 'SHA256:other' })));
    expect(await cache.find('keys', 'fingerprint', 'SHA256:k')).toBeUndefined();
    expect((await cache.find('keys', 'fingerprint', 'SHA256:other'))?.id).toBe('k');
    expect((await cache.list('keys', 'accountId', '1')).map(({ id }) => id)).toEqual(['l']);
    expect((await cache.get('keys', 'k'))?.accountId).toBe('2');
    await counted.store.transact((t) => t.remove('keys', 'k'));
    expect(await cache.find('keys', 'fingerprint', 'SHA256:other')).toBeUndefined();
    expect(await cache.get('keys', 'k')).toBeUndefined();
    await counted.store.transact((t) => t.put('keys', keyRow('k', '1')));
    expect((await cache.get('keys', 'k'))?.accountId).toBe('1');
  });

  it('keeps other rows, and other tables, when a row changes', async () => {
    await cache.get('keys', 'l');
    await cache.find('keys', 'fingerprint', 'SHA256:l');
    await cache.list('accounts');
    const { asked } = counted;
    await counted.store.transact((t) => t.put('keys', keyRow('k', '2')));
    await cache.get('keys', 'l');
    await cache.find('keys', 'fingerprint', 'SHA256:l');
    await cache.list('accounts');
    expect(counted.asked).toBe(asked);
  });

  it('keeps no answer that was asked for before a change, and shares none across it', async () => {
    let open: () => void = () => {};
    counted.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const before = cache.get('keys', 'k');
    await delay(1);
    await counted.store.transact((t) => t.remove('keys', 'k'));
    const after = cache.get('keys', 'k');
    open();
    expect((await before)?.id).toBe('k');
    expect(await after).toBeUndefined();
    expect(await cache.get('keys', 'k')).toBeUndefined();
  });

  it('keeps no failure', async () => {
    counted.gate = Promise.reject(new Error('no answer'));
    await expect(cache.get('keys', 'k')).rejects.toThrow('no answer');
    counted.gate = Promise.resolve();
    expect((await cache.get('keys', 'k'))?.id).toBe('k');
  });

  it('keeps no more rows than it may, whether they are found one by one or in lists', async () => {
    const small = createRowCache(reader, { maxRowsPerTable: 10 });
    await counted.store.transact(async (t) => {
      for (let index = 0; index < 20; index++) await t.put('accounts', accountRow(`a${index}`));
    });
    await small.list('accounts');
    await small.list('accounts');
    expect(counted.asked).toBe(2);
    for (let index = 0; index < 20; index++) await small.get('accounts', `a${index}`);
    const { asked } = counted;
    for (let index = 0; index < 20; index++) await small.get('accounts', `a${index}`);
    expect(counted.asked - asked).toBeGreaterThanOrEqual(10);
  });

  it('asks anew after it was cleared', async () => {
    const first = await readAll();
    cache.clear();
    expect(await readAll()).toEqual(first);
    expect(counted.asked).toBe(10);
  });
});

describe('a map of what was used lately', () => {
  it('keeps what is used, and forgets the rest, within its bound', () => {
    const map = createRecentMap<number>(10);
    map.set('used', 0);
    for (let index = 1; index <= 100; index++) {
      map.set(`n${index}`, index);
      expect(map.get('used')).toBe(0);
    }
    const kept = Array.from({ length: 100 }, (_, index) => map.get(`n${index + 1}`)).filter(Boolean);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept).toContain(100);
  });

  it('counts a value once, however often it is set, and takes none that is too heavy', () => {
    const map = createRecentMap<string>(10);
    map.set('kept', 'a');
    for (let index = 0; index < 100; index++) map.set('same', 'b', 4);
    expect(map.get('kept')).toBe('a');
    map.set('kept', 'heavy', 6);
    expect(map.get('kept')).toBeUndefined();
  });
});
