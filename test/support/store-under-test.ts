/** Where test gateways keep their rows: lowdb's file, or, with POSTERN_TEST_STORE=postgres, a database for each data folder. */
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

const databases = new Map<string, Promise<TestDatabase>>();

/** The value of the configuration key `store`; the same for the same folder. */
export async function storeOf(dataDir: string): Promise<string> {
  if (process.env['POSTERN_TEST_STORE'] !== 'postgres') return 'lowdb';
  const database = databases.get(dataDir) ?? createTestDatabase();
  databases.set(dataDir, database);
  return (await database).url;
}

export async function openStoreOf(dataDir: string): Promise<Store> {
  const url = await storeOf(dataDir);
  if (url === 'lowdb') return openLowdbStore({ dataDir });
  return openPostgresStore({ url, gatewayName: 'test', cacheSeconds: () => 10 });
}

/** Once nobody opens the store of this folder again. */
export async function dropStoreOf(dataDir: string): Promise<void> {
  await (await databases.get(dataDir))?.drop();
  databases.delete(dataDir);
}
