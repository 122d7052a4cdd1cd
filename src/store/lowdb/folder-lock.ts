/**
 * One gateway per data folder. The lock is SQLite's exclusive lock on DATA/lock.db: a POSIX record lock,
 * which the kernel drops when the holder dies however it dies, which no child process inherits, and which
 * holds between containers that share the volume. POSIX locks belong to the process and fall with any
 * close of the file; SQLite keeps its own books for that, so a second open in this process is refused too.
 * @NOTE nothing else here may open lock.db: closing it would drop the lock.
 */
import { chmodSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';

export interface FolderLock {
  release(): Promise<void>;
}

const sqliteBusy = 5;

/** Throws store-held with the holder's pid, and its host's name where that is another. `pid`: whom the operator stops. */
export async function lockFolder(dataDir: string, pid = process.pid): Promise<FolderLock> {
  const holderFile = join(dataDir, 'lock.pid');
  const lock = tryLock(join(dataDir, 'lock.db'));
  if (!lock) throw new GatewayError('store-held', { folder: dataDir, pid: await findHolder(holderFile) });
  try {
    await writeFile(holderFile, `${pid} ${hostname()}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    release: async () => {
      await rm(holderFile, { force: true });
      lock.close();
    },
  };
}

function tryLock(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // In memory: nothing is ever written, and a kill leaves no journal behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    chmodSync(file, 0o600);
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw new Error(`cannot lock ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The holder writes its pid just after it has the lock, so an answer may take a moment. */
async function findHolder(file: string): Promise<string> {
  for (let tries = 10; tries > 0; tries--) {
    const [pid, host] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    if (pid && /^\d+$/.test(pid)) return host && host !== hostname() ? `${pid} on ${host}` : pid;
    await delay(20);
  }
  return 'unknown';
}
