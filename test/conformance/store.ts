/** What every implementation of the Store port must do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyRow } from '../../src/store/schema.ts';
import { type Change, type Reader, type Store, UniqueViolation } from '../../src/store/store.ts';
import { accountRow, keyRow } from '../support/store-rows.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens the same data again. */
  readonly reopen: () => Promise<Store>;
  /** Closes whatever is open and removes the data. */
  readonly dispose: () => Promise<void>;
}

export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} as a Store`, () => {
    let opened: OpenedStore;
    let store: Store;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });

    afterEach(() => opened.dispose());

    const names = async (from: Pick<Store, 'list'> = store) =>
      (await from.list('accounts')).map((row) => row.name);

    describeReading(() => store);
    describeTransactions(() => store, names);

    it('keeps what was acknowledged over a restart, in order of insertion', async () => {
      await store.transact(async (t) => {
        for (const id of ['c', 'a', 'b']) await t.put('accounts', accountRow(id));
      });
      await store.transact((t) => t.put('accounts', accountRow('c', 'c', { disabled: true })));
      store = await opened.reopen();
      expect(await names()).toEqual(['c', 'a', 'b']);
      expect((await store.get('accounts', 'c'))?.disabled).toBe(true);
    });

    it('keeps names of Object.prototype, line separators and broken surrogates as they are', async () => {
      const hostile = ['__proto__', 'constructor', 'hasOwnProperty', 'a\u2028b\n"\\', '\ud800', '💥'];
      await store.transact(async (t) => {
        for (const id of hostile) {
          await t.put('accounts', accountRow(id));
          await t.put('keys', keyRow(id, '__proto__'));
        }
      });
      store = await opened.reopen();
      expect(await names()).toEqual(hostile);
      for (const id of hostile) expect((await store.find('accounts', 'name', id))?.id).toBe(id);
      expect(await store.list('keys', 'accountId', '__proto__')).toHaveLength(hostile.length);
      expect(await store.list('keys', 'accountId', 'constructor')).toEqual([]);
      expect(await store.find('accounts', 'name', 'toString')).toBeUndefined();
    });

    it('gives a snapshot of what was acknowledged, and of nothing that is under way', async () => {
      await store.transact((t) => t.put('accounts', accountRow('alice')));
      const snapshot = await store.transact(async (t) => {
        await t.put('accounts', accountRow('bob'));
        return store.snapshot();
      });
      expect([snapshot.includes('alice'), snapshot.includes('bob')]).toEqual([true, false]);
      expect(await store.snapshot()).toContain('bob');
    });

    it('refuses transactions once it is closed', async () => {
      await store.close();
      await expect(store.transact(async () => {})).rejects.toMatchObject({ code: 'store-write-failed' });
      store = await opened.reopen();
    });

    it('settles what was begun before it closes', async () => {
      const running = store.transact((t) => t.put('accounts', accountRow('alice')));
      await store.close();
      await running;
      store = await opened.reopen();
      expect(await names()).toEqual(['alice']);
    });
  });
}

function describeReading(store: () => Store): void {
  it('finds rows by id, by unique field and by index', async () => {
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('1', 'alice'));
      for (const id of ['k1', 'k2']) await t.put('keys', keyRow(id, '1'));
      await t.put('keys', keyRow('k3', '2'));
    });
    expect((await store().get('accounts', '1'))?.name).toBe('alice');
    expect((await store().find('accounts', 'name', 'alice'))?.id).toBe('1');
    expect((await store().list('keys', 'accountId', '1')).map(({ id }) => id)).toEqual(['k1', 'k2']);
    expect(await store().get('accounts', 'alice')).toBeUndefined();
  });

  it('knows whether a table is empty, before, within and after a transaction', async () => {
    const areEmpty = async (from: Reader) => [await from.isEmpty('accounts'), await from.isEmpty('keys')];
    expect(await areEmpty(store())).toEqual([true, true]);
    await store().transact(async (t) => {
      expect(await areEmpty(t)).toEqual([true, true]);
      await t.put('accounts', accountRow('1'));
      expect(await areEmpty(t)).toEqual([false, true]);
      expect(await areEmpty(store())).toEqual([true, true]);
      await t.put('accounts', accountRow('2'));
    });
    expect(await areEmpty(store())).toEqual([false, true]);
    await store().transact(async (t) => {
      expect(await areEmpty(t)).toEqual([false, true]);
      await t.remove('accounts', '1');
      expect(await areEmpty(t)).toEqual([false, true]);
      await t.remove('accounts', '2');
      expect(await areEmpty(t)).toEqual([true, true]);
      expect(await areEmpty(store())).toEqual([false, true]);
    });
    expect(await areEmpty(store())).toEqual([true, true]);
  });

  it('forgets old values of a row that was replaced or removed', async () => {
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('1', 'alice'));
      await t.put('keys', keyRow('k', '1'));
    });
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('1', 'bob'));
      await t.put('keys', keyRow('k', '2'));
    });
    expect(await store().find('accounts', 'name', 'alice')).toBeUndefined();
    expect(await store().list('keys', 'accountId', '1')).toEqual([]);
    await store().transact((t) => t.remove('accounts', '1'));
    expect(await store().find('accounts', 'name', 'bob')).toBeUndefined();
    await store().transact((t) => t.put('accounts', accountRow('2', 'bob')));
    expect((await store().find('accounts', 'name', 'bob'))?.id).toBe('2');
  });

  it('hands out rows that nobody can change', async () => {
    const given = { ...keyRow('k', '1'), restrictions: { from: '10.0.0.0/8' } };
    await store().transact((t) => t.put('keys', given));
    given.restrictions.from = '*';
    const row = (await store().get('keys', 'k')) as KeyRow;
    expect(row.restrictions.from).toBe('10.0.0.0/8');
    expect(() => Object.assign(row, { accountId: '2' })).toThrow(TypeError);
    expect(() => Object.assign(row.restrictions, { from: '*' })).toThrow(TypeError);
  });
}

function describeTransactions(
  store: () => Store,
  names: (from?: Pick<Store, 'list'>) => Promise<string[]>,
): void {
  it('lets a transaction see its own writes and nobody else before the end', async () => {
    await store().transact((t) => t.put('accounts', accountRow('old')));
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('new'));
      await t.put('accounts', accountRow('old', 'renamed'));
      expect(await names(t)).toEqual(['renamed', 'new']);
      expect(await t.find('accounts', 'name', 'old')).toBeUndefined();
      expect((await t.find('accounts', 'name', 'renamed'))?.id).toBe('old');
      expect(await names()).toEqual(['old']);
      await t.remove('accounts', 'old');
      expect(await names(t)).toEqual(['new']);
      await t.put('accounts', accountRow('old'));
      expect(await names(t)).toEqual(['new', 'old']);
    });
    expect(await names()).toEqual(['new', 'old']);
  });

  it('changes nothing when the work throws', async () => {
    await store().transact((t) => t.put('accounts', accountRow('alice')));
    const failing = store().transact(async (t) => {
      await t.remove('accounts', 'alice');
      await t.put('accounts', accountRow('bob'));
      throw new Error('thought better of it');
    });
    await expect(failing).rejects.toThrow('thought better of it');
    expect(await names()).toEqual(['alice']);
    expect(await store().find('accounts', 'name', 'bob')).toBeUndefined();
  });

  it('refuses a second row of the same unique value, and lets names be exchanged', async () => {
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('1', 'alice'));
      await t.put('accounts', accountRow('2', 'bob'));
    });
    const again = store().transact((t) => t.put('accounts', accountRow('3', 'alice')));
    await expect(again).rejects.toBeInstanceOf(UniqueViolation);
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('2', 'interim'));
      await t.put('accounts', accountRow('1', 'bob'));
      await t.put('accounts', accountRow('2', 'alice'));
    });
    expect((await store().find('accounts', 'name', 'alice'))?.id).toBe('2');
    expect((await store().find('accounts', 'name', 'bob'))?.id).toBe('1');
    expect(await store().find('accounts', 'name', 'interim')).toBeUndefined();
  });

  it('runs concurrent transactions as if one after the other', async () => {
    const add = (index: number) =>
      store().transact(async (t) => {
        const count = (await t.list('accounts')).length;
        await new Promise((resolve) => setTimeout(resolve, index % 3));
        await t.put('accounts', accountRow(`n${count}`));
        return count;
      });
    const counts = await Promise.all(Array.from({ length: 50 }, (_, index) => add(index)));
    expect(counts).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(await names()).toHaveLength(50);
  });

  it('lets one of many concurrent transactions fail alone', async () => {
    const adds = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        store().transact((t) => t.put('accounts', accountRow(String(index), index === 7 ? '6' : undefined))),
      ),
    );
    expect(adds.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(await names()).toHaveLength(19);
  });

  it('tells listeners what changed, once it can be read, until they leave', async () => {
    const seen: (readonly Change[])[] = [];
    const leave = store().onChange((changes) => seen.push(changes));
    const noise = store().onChange(() => {
      throw new Error('a listener of somebody else');
    });
    await store().transact(async (t) => {
      await t.put('accounts', accountRow('1'));
      await t.put('keys', keyRow('k', '1'));
    });
    await store().transact(async (t) => t.get('accounts', '1'));
    expect(seen).toEqual([
      [
        { table: 'accounts', id: '1' },
        { table: 'keys', id: 'k' },
      ],
    ]);
    leave();
    noise();
    await store().transact((t) => t.remove('accounts', '1'));
    expect(seen).toHaveLength(1);
  });

  it('refuses writes through a transaction that has ended', async () => {
    const ended = await store().transact(async (t) => t);
    await expect(ended.put('accounts', accountRow('late'))).rejects.toThrow('ended');
    expect(await names()).toEqual([]);
  });
}
