/** Opening the store's file: what cannot be read is left as it is, and the person is told what to do. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError } from '../../errors.ts';
import {
  type Migration,
  NewerDocument,
  readDocument,
  type StoredDocument,
  UnreadableDocument,
} from '../document.ts';
import { listBackups } from './backups.ts';

export interface LoadOptions {
  readonly file: string;
  readonly migrations: ReadonlyMap<number, Migration>;
  readonly version: number;
}

/** Null when there is neither file nor backup. Throws store-corrupt, store-newer. */
export async function loadDocument(options: LoadOptions): Promise<StoredDocument | null> {
  const { file, migrations, version } = options;
  try {
    return readDocument(await readFile(file, 'utf8'), migrations, version);
  } catch (error) {
    if (error instanceof NewerDocument) {
      throw new GatewayError('store-newer', { file, found: error.found, known: version });
    }
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT';
    if (missing && (await listBackups(dirname(file))).length === 0) return null;
    if (!missing && !(error instanceof UnreadableDocument)) {
      const advice = 'Let the user the gateway runs as read it.';
      throw new GatewayError(
        'store-corrupt',
        { file, problem: code ?? String(error), advice },
        { cause: error },
      );
    }
    const problem = missing
      ? 'it is missing, though there are backups of it'
      : (error as UnreadableDocument).message;
    throw new GatewayError('store-corrupt', { file, problem, advice: await restoreAdvice(options, missing) });
  }
}

async function restoreAdvice({ file, migrations, version }: LoadOptions, missing: boolean): Promise<string> {
  for (const backup of await listBackups(dirname(file))) {
    try {
      readDocument(await readFile(backup.file, 'utf8'), migrations, version);
    } catch {
      continue;
    }
    const written = (await stat(backup.file)).mtime.toISOString();
    const aside = missing ? '' : `mv ${shellWord(file)} ${shellWord(`${file}.damaged`)} && `;
    const command = `${aside}cp -p ${shellWord(backup.file)} ${shellWord(file)}`;
    return `The newest good backup is ${backup.file}, written ${written}. To go back to it:  ${command}`;
  }
  return `There is no good backup of it in ${dirname(file)}/backups; restore a copy of your own as ${file}.`;
}

/** As /bin/sh reads it back: nothing is special in single quotes but the quote itself. */
const shellWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
