/** The store over lowdb: DATA/postern.json, one row per line, each acknowledged change on the disk. */
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Low } from 'lowdb';
import type { Logger } from 'pino';
import { GatewayError } from '../../errors.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { systemReason } from '../../platform/system-reason.ts';
import type { Migration, StoredDocument } from '../document.ts';
import { writeDocument } from '../document.ts';
import type { View } from '../layer.ts';
import { migrations } from '../migrations.ts';
import { type RowsByTable, tableNames } from '../rows.ts';
import { schemaVersion } from '../schema.ts';
import type { Change, Store } from '../store.ts';
import { keepBeforeMigration } from './backups.ts';
import { type FileCalls, fileCalls } from './durable-file.ts';
import { DurableRows } from './durable-rows.ts';
import { lockFolder } from './folder-lock.ts';
import { createGroupCommit } from './group-commit.ts';
import { createJsonFile, findSequence } from './json-file.ts';
import { readerOf } from './open-transaction.ts';

export interface LowdbStoreOptions {
  /** Made if missing, mode 0700. */
  readonly dataDir: string;
  readonly log?: Logger;
  /** Of the process that an operator stops; unset: of this one. */
  readonly pid?: number | undefined;
  /** Called after each write of the file. */
  readonly onWritten?: (seconds: number, failed: boolean) => void;
  /** For tests of a failing disk, and of migrations to come. */
  readonly calls?: FileCalls;
  readonly migrations?: ReadonlyMap<number, Migration>;
  readonly version?: number;
}

/**
 * Readers outside a transaction see what is on disk, and only that.
 * Throws store-held, store-corrupt, store-newer, and what the disk throws.
 */
export async function openLowdbStore(options: LowdbStoreOptions): Promise<Store> {
  const dataDir = resolve(options.dataDir);
  await makeFolder(dataDir).catch((cause: NodeJS.ErrnoException) => {
    const problem = `the data folder ${dataDir} cannot be made (${systemReason(cause)}); name another with --data DIR.`;
    throw new GatewayError('invalid-config', { problem }, { cause });
  });
  await chmod(dataDir, 0o700).catch((error: unknown) => {
    options.log?.warn({ err: error }, 'the data folder could not be closed to other users');
  });
  const lock = await lockFolder(dataDir, options.pid);
  try {
    return await openLocked(dataDir, options, lock.release);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(
  dataDir: string,
  { log, calls = fileCalls, onWritten = () => {}, ...options }: LowdbStoreOptions,
  release: () => Promise<void>,
): Promise<Store> {
  const version = options.version ?? schemaVersion;
  const file = join(dataDir, 'postern.json');
  const adapter = createJsonFile({
    file,
    version,
    migrations: options.migrations ?? migrations,
    calls,
    log,
  });
  const db = new Low<StoredDocument>(adapter, { schema: version, sequence: -1, tables: noRows() });
  await db.read();
  const rows = new DurableRows(db.data.tables);
  let sequence = await findSequence(dataDir, db.data.sequence);
  const isNew = db.data.sequence < 0;
  const isOlder = db.data.schema < version;

  async function write(view: View): Promise<void> {
    sequence += 1;
    db.data = documentOf(view, version, sequence);
    const startedAtMs = performance.now();
    let failed = true;
    try {
      await db.write();
      failed = false;
    } finally {
      onWritten((performance.now() - startedAtMs) / 1000, failed);
    }
  }

  if (isOlder) await keepBeforeMigration(file, dataDir, db.data.schema, calls);
  // At once, so that a folder which cannot be written to is found out now.
  if (isNew || isOlder) await write(rows);
  return storeOver({ rows, write, log, release, document: () => documentOf(rows, version, sequence) });
}

interface StoreParts {
  readonly rows: DurableRows;
  readonly write: (view: View) => Promise<void>;
  /** What is on disk now. */
  readonly document: () => StoredDocument;
  readonly log: Logger | undefined;
  readonly release: () => Promise<void>;
}

function storeOver({ rows, write, document, log, release }: StoreParts): Store {
  const listeners = new Set<(changes: readonly Change[]) => void>();
  let closing: Promise<void> | undefined;

  const onDurable = (changes: readonly Change[]) => {
    for (const listener of listeners) {
      try {
        listener(changes);
      } catch (error) {
        log?.error({ err: error }, 'a listener of the store failed');
      }
    }
  };
  const commits = createGroupCommit({ rows, write, onDurable, log });

  return {
    ...readerOf(() => rows),

    transact: async (work) => {
      if (closing) throw new GatewayError('store-write-failed', { reason: 'the store is closed' });
      return commits.run(work);
    },

    onChange(listener) {
      // A function of its own, so that one listener may subscribe twice.
      const subscribed = (changes: readonly Change[]) => listener(changes);
      listeners.add(subscribed);
      return () => void listeners.delete(subscribed);
    },

    snapshot: async () => writeDocument(document()),

    close() {
      closing ??= commits.drain().finally(release);
      return closing;
    },
  };
}

const documentOf = (view: View, schema: number, sequence: number): StoredDocument => ({
  schema,
  sequence,
  tables: Object.fromEntries(tableNames.map((name) => [name, view.list(name)])) as RowsByTable,
});

const noRows = () => Object.fromEntries(tableNames.map((name) => [name, []])) as unknown as RowsByTable;
