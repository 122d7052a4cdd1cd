/** What lies in a gateway's data folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotOfDatabase } from './store-under-test.ts';

/** All rows, as the store keeps them or would write them into a backup. */
export const storedText = async (dataDir: string): Promise<string> =>
  (await snapshotOfDatabase(dataDir)) ?? (await readFile(join(dataDir, 'postern.json'), 'utf8'));

export async function storedRows(dataDir: string, table: string): Promise<Record<string, string>[]> {
  const tables = JSON.parse(await storedText(dataDir)) as {
    tables?: Record<string, Record<string, string>[]>;
  };
  const all = (tables.tables ?? tables) as Record<string, Record<string, string>[]>;
  return Object.values(all[table] ?? {});
}

/** A file that is gone when it is to be read was put in another's place meanwhile, which is read. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = files.map((file) =>
    readFile(join(file.parentPath, file.name), 'latin1').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    }),
  );
  return (await Promise.all(contents)).flat();
}
