/** Files written so that a power cut leaves the old one or the new, whole. */
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeNew } from '../platform/durable-file.ts';
import { randomId } from '../platform/ids.ts';
import { makeFolder } from '../platform/make-folder.ts';

/** What changes the disk; tests put calls that fail in its place. */
export type DiskCalls = Pick<typeof fs, 'open' | 'rename' | 'unlink' | 'link'>;
export const diskCalls: DiskCalls = fs;

const suffix = '.restore.tmp';

/** Puts `content` at `path`, making the folder it lies in. Not on the disk for certain before `syncFolder`. */
export async function place(path: string, content: Buffer, mode: number, calls: DiskCalls): Promise<void> {
  await makeFolder(dirname(path));
  const temporary = `${path}.${randomId(8)}${suffix}`;
  try {
    await writeNew(temporary, content, mode, calls);
    await calls.rename(temporary, path);
  } catch (error) {
    await fs.unlink(temporary).catch(() => {});
    throw error;
  }
}

/** What `place` left in a folder when it was killed: it may be half of a secret. */
export async function sweepCopies(folder: string): Promise<void> {
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(suffix))) await fs.unlink(join(folder, name));
}
