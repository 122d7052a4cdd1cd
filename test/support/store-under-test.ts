/** Where test gateways keep their rows: lowdb's file, or, with TEST_STORE=postgres, a database for each data folder. */
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

const databases = new Map<string, Promise<TestDatabase>>();

/** The value of the configuration key `store`; the same for the same folder. */
export async function storeOf(dataDir: string): Promise<string> {
  if (process.env['TEST_STORE'] !== 'postgres') return 'lowdb';
  const database = databases.get(dataDir) ?? createTestDatabase();
  databases.set(dataDir, database);
  return (await database).url;
}

export async function openStoreOf(dataDir: string): Promise<Store> {
  const url = await storeOf(dataDir);
  if (url === 'lowdb') return openLowdbStore({ dataDir });
  return openPostgresStore({ url, gatewayName: 'test', cacheSeconds: () => 10 });
}

/** Undefined where the rows are in the folder itself. */
export async function snapshotOfDatabase(dataDir: string): Promise<string | undefined> {
  if (!databases.has(dataDir)) return undefined;
  const store = await openStoreOf(dataDir);
  return store.snapshot().finally(() => store.close());
}

/** Once nobody opens the store of this folder again. */
export async function dropStoreOf(dataDir: string): Promise<void> {
  await (await databases.get(dataDir))?.drop();
  databases.delete(dataDir);
}
