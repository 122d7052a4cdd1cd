/** Data folders and stores for these tests, gone when the test is over. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type LowdbStoreOptions, openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import type { Store } from '../../../../src/store/store.ts';
import { accountRow } from '../../../support/store-rows.ts';

/** The program of a second process with a store; see there. */
export const storeProcess = fileURLToPath(new URL('./store-process.ts', import.meta.url));

export async function makeDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openStore(options: LowdbStoreOptions): Promise<Store> {
  const store = await openLowdbStore(options);
  onTestFinished(() => store.close());
  return store;
}

export const putAccount = (store: Store, name: string) =>
  store.transact((transaction) => transaction.put('accounts', accountRow(name)));

export const accountNames = async (store: Store) => (await store.list('accounts')).map(({ name }) => name);

/** A closed store that these accounts were added to, one write each. */
export async function storeWith(names: readonly string[]): Promise<{ dataDir: string; file: string }> {
  const dataDir = await makeDataDir();
  const store = await openLowdbStore({ dataDir });
  for (const name of names) await putAccount(store, name);
  await store.close();
  return { dataDir, file: join(dataDir, 'postern.json') };
}

export const temporaryFilesIn = async (dataDir: string) =>
  (await readdir(dataDir)).filter((name) => name.endsWith('.tmp'));
