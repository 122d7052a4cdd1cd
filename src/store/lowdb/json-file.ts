/** lowdb's adapter for DATA/postern.json: its own is not durable and lets two writers destroy the file. */
import { chmod, readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Adapter } from 'lowdb';
import type { Logger } from 'pino';
import { syncFolder } from '../../platform/durable-file.ts';
import { type StoredDocument, writeDocument } from '../document.ts';
import { type BackupFile, dropOldVersions, keepVersion, listBackups } from './backups.ts';
import { type FileCalls, isTemporary, writeTemporary } from './durable-file.ts';
import { type LoadOptions, loadDocument } from './load-document.ts';

export interface JsonFileOptions extends LoadOptions {
  readonly calls: FileCalls;
  readonly log: Logger | undefined;
}

/** `read` gives null when there is no store yet. `write` resolves when the document is on the disk. */
export function createJsonFile(options: JsonFileOptions): Adapter<StoredDocument> {
  const { file, calls } = options;
  let exists = false;
  return {
    async read() {
      await sweep(file);
      const document = await loadDocument(options);
      exists = document !== null;
      if (exists) await chmod(file, 0o600).catch(() => {});
      return document;
    },
    async write(document) {
      const temporary = await writeTemporary(file, writeDocument(document), calls);
      // Numbered by what replaces it, so that a file restored by hand never collides with an older backup.
      const kept = exists ? await keepOutgoing(options, document.sequence - 1) : undefined;
      try {
        await replace(temporary, options, kept);
        exists = true;
      } catch (error) {
        for (const leftover of [temporary, kept?.file]) {
          if (leftover !== undefined) await calls.unlink(leftover).catch(() => {});
        }
        throw error;
      }
      await dropOldVersions(dirname(file), calls).catch((error: unknown) => {
        options.log?.warn({ err: error }, 'old backups of the store could not be removed');
      });
    },
  };
}

/** What a killed gateway left half-written. */
async function sweep(file: string): Promise<void> {
  const folder = dirname(file);
  for (const name of await readdir(folder)) {
    if (isTemporary(name, basename(file))) await unlink(join(folder, name));
  }
}

async function keepOutgoing(
  { file, calls, log }: JsonFileOptions,
  sequence: number,
): Promise<BackupFile | undefined> {
  try {
    return await keepVersion(file, dirname(file), sequence, calls);
  } catch (error) {
    log?.error({ err: error }, 'the outgoing version of the store could not be kept as a backup');
    return undefined;
  }
}

async function replace(
  temporary: string,
  { file, calls }: JsonFileOptions,
  kept: BackupFile | undefined,
): Promise<void> {
  await calls.rename(temporary, file);
  try {
    await syncFolder(dirname(file), calls);
  } catch (error) {
    // The callers will be told that nothing changed: make it so.
    if (kept) {
      await calls.link(kept.file, temporary);
      await calls.rename(temporary, file);
    }
    throw error;
  }
}

/** The highest number in use: of the file itself, or of one past the newest backup. */
export async function findSequence(dataDir: string, found: number): Promise<number> {
  const [newest] = await listBackups(dataDir);
  return Math.max(found, newest ? newest.sequence + 1 : 0);
}
