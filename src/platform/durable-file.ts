/** What must be on the disk before something else is done or said. */
import * as fs from 'node:fs/promises';

/** Tests put in its place one that fails. */
type OpenCall = Pick<typeof fs, 'open'>;

/** A file that was not there, its content on the disk; throws EEXIST when it was. Its name is there for certain after `syncFolder`. */
export async function writeNew(
  path: string,
  content: string | Buffer,
  mode: number,
  calls: OpenCall = fs,
): Promise<void> {
  const handle = await calls.open(path, 'wx', mode);
  try {
    await handle.writeFile(content);
    // Whatever the umask made of it.
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames and new names in a folder survive a power cut. */
export async function syncFolder(folder: string, calls: OpenCall = fs): Promise<void> {
  const handle = await calls.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
