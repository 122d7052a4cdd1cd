/** All rows of one store into another: from a data folder into a database, or back. */
import { asOwnerOf } from './backup/as-owner-of.ts';
import { isDatabaseUrl, labelOfStore } from './config/store-url.ts';
import { GatewayError } from './errors.ts';
import { isThere } from './platform/is-there.ts';
import { readDocument } from './store/document.ts';
import { openLowdbStore } from './store/lowdb/open-lowdb-store.ts';
import { migrations } from './store/migrations.ts';
import { fillDatabase } from './store/postgres/fill-database.ts';
import { openPostgresStore } from './store/postgres/open-postgres-store.ts';
import { digestRows, type TableDigest, wholeDigest } from './store/row-digests.ts';
import { type RowsByTable, tableNames } from './store/rows.ts';
import { schemaVersion } from './store/schema.ts';
import type { Store } from './store/store.ts';

/** A data folder, or the URL of a database. */
export type StorePlace = string;

/**
 * Resolves to what both hold then, table by table, having read both. Run again after it was cut off, it goes on. Throws
 * migration-refused when there are other rows in `to`, and what stores throw when they open.
 */
export async function migrateStore(from: StorePlace, to: StorePlace): Promise<readonly TableDigest[]> {
  if (!isDatabaseUrl(from) && !(await isThere(`${from}/postern.json`))) {
    throw new GatewayError('migration-refused', { place: from, problem: 'there is no store to read in it' });
  }
  const source = await openPlace(from);
  try {
    const tables = await tablesOf(source);
    if (isDatabaseUrl(to)) await fillDatabase(to, tables);
    // By root it is done as whoever has the folder: the gateway must be able to read what is written.
    else await asOwnerOf(to, () => fillFolder(to, tables));
    return digestRows(tables);
  } finally {
    await source.close();
  }
}

const openPlace = (place: StorePlace): Promise<Store> =>
  isDatabaseUrl(place)
    ? openPostgresStore({ url: place, gatewayName: 'migrate', cacheSeconds: () => 0 })
    : openLowdbStore({ dataDir: place });

const tablesOf = async (store: Store): Promise<RowsByTable> =>
  readDocument(await store.snapshot(), migrations, schemaVersion).tables;

/** In one transaction: its file holds all or nothing. */
async function fillFolder(dataDir: string, tables: RowsByTable): Promise<void> {
  const store = await openLowdbStore({ dataDir });
  try {
    const wanted = wholeDigest(digestRows(tables));
    const held = await tablesOf(store);
    if (wholeDigest(digestRows(held)) === wanted) return;
    if (tableNames.some((table) => held[table].length > 0)) {
      const problem = 'it has other rows already; name an empty folder';
      throw new GatewayError('migration-refused', { place: dataDir, problem });
    }
    await store.transact(async (transaction) => {
      for (const table of tableNames) {
        for (const row of tables[table]) await transaction.put(table, row as never);
      }
    });
    if (wholeDigest(digestRows(await tablesOf(store))) !== wanted) {
      const problem = 'what was read from it afterwards is not what was written';
      throw new GatewayError('migration-refused', { place: dataDir, problem });
    }
  } finally {
    await store.close();
  }
}

/** As it may be shown. */
export const labelOfPlace = (place: StorePlace): string =>
  isDatabaseUrl(place) ? labelOfStore(place) : place;
