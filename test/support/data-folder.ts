/** What lies in a gateway's data folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotOfDatabase } from './store-under-test.ts';

/** All rows, as the store keeps them or would write them into a backup. */
export const storedText = async (dataDir: string): Promise<string> =>
  (await snapshotOfDatabase(dataDir)) ?? (await readFile(join(dataDir, 'postern.json'), 'utf8'));

export async function storedRows(dataDir: string, table: string): Promise<Record<string, string>[]> {
  const files = await filesBelow(dataDir);
  const store =
    (await snapshotOfDatabase(dataDir)) ?? files.find((content) => content.includes('"accounts"'));
  const tables = JSON.parse(store ?? '{}') as { tables?: Record<string, Record<string, string>[]> };
  const all = (tables.tables ?? tables) as Record<string, Record<string, string>[]>;
  return Object.values(all[table] ?? {});
}

export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
}
