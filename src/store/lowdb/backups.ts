/** DATA/backups: the last versions of the store, each the very file that the next one replaced. */
import { constants } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileCalls } from './durable-file.ts';

export interface BackupFile {
  readonly file: string;
  readonly sequence: number;
}

const keptVersions = 5;
const pattern = /^postern-(\d{1,15})\.json$/;

export const backupsFolder = (dataDir: string) => join(dataDir, 'backups');

/** Newest first; none when there is no folder. */
export async function listBackups(dataDir: string): Promise<readonly BackupFile[]> {
  const folder = backupsFolder(dataDir);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const sequence = pattern.exec(name)?.[1];
      return sequence === undefined ? [] : [{ file: join(folder, name), sequence: Number(sequence) }];
    })
    .sort((a, b) => b.sequence - a.sequence);
}

/** Makes `file` a backup before it is replaced. */
export async function keepVersion(
  file: string,
  dataDir: string,
  sequence: number,
  calls: FileCalls,
): Promise<BackupFile> {
  const kept = { file: join(backupsFolder(dataDir), `postern-${sequence}.json`), sequence };
  await mkdir(backupsFolder(dataDir), { recursive: true, mode: 0o700 });
  await linkOrCopy(file, kept.file, calls);
  return kept;
}

/** A copy that no later version pushes out, for whoever must go back to the version before. */
export async function keepBeforeMigration(
  file: string,
  dataDir: string,
  schema: number,
  calls: FileCalls,
): Promise<void> {
  await mkdir(backupsFolder(dataDir), { recursive: true, mode: 0o700 });
  await linkOrCopy(file, join(backupsFolder(dataDir), `schema-${schema}.json`), calls).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

export async function dropOldVersions(dataDir: string, calls: FileCalls): Promise<void> {
  for (const { file } of (await listBackups(dataDir)).slice(keptVersions)) await calls.unlink(file);
}

const noLinksHere = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']);

/** A second name for the very file, or a copy where the file system has no links. */
async function linkOrCopy(file: string, copy: string, calls: FileCalls): Promise<void> {
  try {
    await calls.link(file, copy);
  } catch (error) {
    if (!noLinksHere.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await calls.copyFile(file, copy, constants.COPYFILE_EXCL);
  }
}
