/** Folders as Node reads them. */
import * as fs from 'node:fs/promises';
import type { FolderEntry, OpenFolder } from './file-operations.ts';
import { attributesOf, bytesOf } from './node-stats.ts';
import { failing } from './system-failures.ts';

/** So many are looked at together, and held. */
const statsAtOnce = 500;

/** Read as it is asked for: what a folder holds has no bound, and this process is all sessions' of its user. */
export async function openNodeFolder(path: string): Promise<OpenFolder> {
  const folder = await fs.opendir(bytesOf(path), { encoding: 'latin1', bufferSize: statsAtOnce });
  const waiting = ['.', '..'];
  const nextNames = async () => {
    const names = waiting.splice(0);
    while (names.length < statsAtOnce) {
      const entry = await folder.read();
      if (!entry) break;
      names.push(entry.name);
    }
    return names;
  };
  // What was removed meanwhile is left out.
  const look = async (name: string): Promise<FolderEntry[]> => {
    const stats = await fs.lstat(bytesOf(`${path}/${name}`)).catch(() => undefined);
    return stats ? [{ name, attributes: attributesOf(stats) }] : [];
  };
  const operations = failing({
    async read(): Promise<readonly FolderEntry[]> {
      for (;;) {
        const names = await nextNames();
        const entries = (await Promise.all(names.map(look))).flat();
        if (entries.length > 0 || names.length === 0) return entries;
      }
    },
    close: () => folder.close(),
  });
  return { ...operations, heldBytes: 0 };
}
