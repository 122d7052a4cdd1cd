/** Two stores on one database, as two gateways have them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../../src/store/postgres/open-postgres-store.ts';
import type { Change, Store } from '../../../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { accountRow, keyRow } from '../../../support/store-rows.ts';

let database: TestDatabase;
let here: Store;
let there: Store;

const open = (gatewayName: string) =>
  openPostgresStore({ url: database.url, gatewayName, cacheSeconds: () => 10 });

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  here = await open('here');
  there = await open('there');
});
afterEach(() => Promise.all([here.close(), there.close()]));

/** Told when any of their rows may have changed. */
const tablesOfWhichAnyRow = (store: Store) =>
  new Promise<readonly string[]>((resolve) => {
    store.onChange((changes) => {
      const tables = changes.flatMap(({ table, id }) => (id === undefined ? [table] : []));
      if (tables.length > 0) resolve(tables);
    });
  });

describe('two gateways on one database', () => {
  it('see each other’s changes, in their order, each once, and within a second', async () => {
    const seen: unknown[] = [];
    let seenAtMs = 0;
    there.onChange((changes) => {
      seen.push(...changes.map(({ id }) => id));
      seenAtMs = performance.now();
    });
    const ids = Array.from({ length: 30 }, (_, index) => `ordered-${index}`);
    for (const id of ids) await here.transact((t) => t.put('accounts', accountRow(id)));
    const acknowledgedAtMs = performance.now();
    await expect.poll(() => seen.length).toBe(ids.length);
    expect(seenAtMs - acknowledgedAtMs).toBeLessThan(1_000);
    expect(seen).toEqual(ids);
  });

  it('run their transactions as if one after the other', async () => {
    const add = (store: Store) =>
      store.transact(async (t) => {
        const counted = (await t.list('keys', 'accountId', 'counted')).length;
        await t.put('keys', keyRow(`counted-${counted}`, 'counted'));
      });
    await Promise.all(Array.from({ length: 40 }, (_, index) => add(index % 2 === 0 ? here : there)));
    expect(await here.list('keys', 'accountId', 'counted')).toHaveLength(40);
  });

  it('skip no change, though many commit at once on both', async () => {
    const seen = new Map<Store, unknown[]>([
      [here, []],
      [there, []],
    ]);
    for (const [store, ids] of seen) store.onChange((changes) => ids.push(...changes.map(({ id }) => id)));
    const ids = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    await Promise.all(
      ids.map((id, index) =>
        (index % 2 === 0 ? here : there).transact((t) => t.put('accounts', accountRow(id))),
      ),
    );
    for (const told of seen.values()) {
      await expect.poll(() => told.length).toBe(ids.length);
      expect([...told].sort()).toEqual([...ids].sort());
    }
    expect(seen.get(here)).toEqual(seen.get(there));
  });

  it('hear of a change without any NOTIFY, by asking', async () => {
    await here.transact((t) => t.put('accounts', accountRow('asked-for')));
    await there.get('accounts', 'asked-for');
    const told = new Promise<readonly Change[]>((resolve) => there.onChange(resolve));
    // As a gateway behind a pooler that passes no notifications would write.
    await database.query(`
      WITH s AS (UPDATE postern_state SET number = number + 1 RETURNING number)
      INSERT INTO postern_changes (number, transaction, gateway, changes)
      SELECT number, 'quiet', 'quiet', '[{"table":"accounts","id":"asked-for"}]' FROM s`);
    expect(await told).toEqual([{ table: 'accounts', id: 'asked-for' }]);
  });

  it('find at once what the other has just added', async () => {
    expect(await there.find('accounts', 'name', 'fresh')).toBeUndefined();
    await here.transact((t) => t.put('accounts', accountRow('fresh')));
    expect((await there.find('accounts', 'name', 'fresh'))?.id).toBe('fresh');
  });

  it('forgotten-changes: who cannot know what changed takes everything for changed', async () => {
    await here.transact((t) => t.put('accounts', accountRow('forgotten')));
    await there.get('accounts', 'forgotten');
    const told = tablesOfWhichAnyRow(there);
    await database.query(
      `UPDATE postern_accounts SET body = replace(body, 'member', 'admin') WHERE id = 'forgotten'`,
    );
    await database.query('UPDATE postern_state SET number = number + 1000');
    expect(await told).toContain('accounts');
    expect((await there.get('accounts', 'forgotten'))?.role).toBe('admin');
  });

  it('old-dump: a database that went back in time is read anew', async () => {
    await here.transact((t) => t.put('accounts', accountRow('dumped')));
    await expect.poll(() => there.get('accounts', 'dumped')).toBeDefined();
    const anew = tablesOfWhichAnyRow(there);
    await database.query('UPDATE postern_state SET number = 3; DELETE FROM postern_changes');
    expect(await anew).toContain('keys');
    await here.transact((t) => t.put('accounts', accountRow('dumped', 'dumped', { disabled: true })));
    await expect.poll(async () => (await there.get('accounts', 'dumped'))?.disabled).toBe(true);
  });

  it('silent-lock-holder: one that says nothing more keeps the other from writing for seconds only', async () => {
    let begun = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const silent = here.transact(() => new Promise(() => begun()));
    const refused = expect(silent).rejects.toMatchObject({ code: 'store-write-failed' });
    await isBegun;
    await there.transact((t) => t.put('accounts', accountRow('after-silence')));
    await refused;
    await here.transact((t) => t.put('accounts', accountRow('here-goes-on')));
  });
});
