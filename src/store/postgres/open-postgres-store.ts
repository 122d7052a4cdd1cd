/**
 * The store in PostgreSQL, which any number of gateways share. What was read is kept until a change concerns it, which every
 * gateway hears of within half a second; and while the database is away, what is kept answers for a while.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { GatewayError } from '../../errors.ts';
import { writeDocument } from '../document.ts';
import { tableNames } from '../rows.ts';
import { schemaVersion } from '../schema.ts';
import type { Change, Store } from '../store.ts';
import { openChangeFeed } from './change-feed.ts';
import { createReader } from './create-reader.ts';
import { createWriter } from './create-writer.ts';
import { createClient, type Database, databaseOf, openPool } from './database.ts';
import { reasonOf, refusalOf } from './faults.ts';
import { prepareDatabase } from './prepare-database.ts';
import { createReadCache, type Question, type StoredChange } from './read-cache.ts';
import { readTables } from './read-tables.ts';

export interface PostgresStoreOptions {
  readonly url: string;
  /** Other gateways and the database's own lists call this one so. */
  readonly gatewayName: string;
  /** While the database is away: how old what was read may be. */
  readonly cacheSeconds: () => number;
  readonly log?: Logger;
  /** Called after each write. */
  readonly onWritten?: (seconds: number, failed: boolean) => void;
}

const maxReaders = 6;
const openPatienceMs = 10_000;
const retryMs = 250;
/** For the database to say goodbye. */
const closeMs = 1_000;

/** Throws store-newer, and store-unavailable when the database does not answer for a while. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, gatewayName, log, cacheSeconds, onWritten = () => {} } = options;
  const database = databaseOf({ url, applicationName: `postern ${gatewayName}` });
  const cache = createReadCache();
  const listeners = createListeners(log);
  let renew = (_: readonly Question[]) => {};
  const onChanges = (changes: readonly StoredChange[]) => {
    const dropped = cache.drop(changes);
    listeners.tell(changes.map(({ table, id }) => (id === undefined ? { table } : { table, id })));
    renew(dropped);
  };
  const feed = await patiently(async () => {
    await prepareDatabase(database);
    await refuseHalfFilled(database);
    return openChangeFeed({ database, onChanges, log });
  }, database);
  const noteLost = (error: Error) => log?.debug({ err: error }, 'an idle connection to the database ended');
  const readers = openPool(database, maxReaders, noteLost);
  const writers = openPool(database, 1, noteLost);
  const { renew: renewAnswers, ...reader } = createReader({
    database,
    pool: readers,
    feed,
    cache,
    cacheSeconds,
  });
  renew = renewAnswers;
  const writer = createWriter({
    ...{ database, pool: writers, gatewayName, onWritten, log },
    isAway: () => feed.failure() !== undefined,
    onCommitted: feed.tellOwn,
  });
  // Others may keep what they have read here, and hear of changes alone.
  const stopWatching = watchAge(
    () => feed.failure() !== undefined && feed.ageMs() > cacheSeconds() * 1000,
    () => onChanges(tableNames.map((table) => ({ table }))),
  );
  const close = async () => {
    await writer.drain();
    stopWatching();
    const closed = Promise.all([feed.close(), readers.end(), writers.end()]);
    await Promise.race([closed, pause(closeMs, undefined, { ref: false })]);
    database.destroySockets();
  };
  let closing: Promise<void> | undefined;
  return {
    ...reader,
    transact: async (work) => {
      if (closing) throw new GatewayError('store-write-failed', { reason: 'the store is closed' });
      return writer.run(work);
    },
    onChange: listeners.add,
    snapshot: () => snapshot(readers, database),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function createListeners(log: Logger | undefined) {
  const listeners = new Set<(changes: readonly Change[]) => void>();
  return {
    add(listener: (changes: readonly Change[]) => void): () => void {
      // A function of its own, so that one listener may subscribe twice.
      const subscribed = (changes: readonly Change[]) => listener(changes);
      listeners.add(subscribed);
      return () => void listeners.delete(subscribed);
    },
    tell(changes: readonly Change[]): void {
      for (const listener of listeners) {
        try {
          listener(changes);
        } catch (error) {
          log?.error({ err: error }, 'a listener of the store failed');
        }
      }
    },
  };
}

const lookMs = 250;

/** Calls back whenever what was read has become too old to count. */
function watchAge(isTooOld: () => boolean, onTooOld: () => void): () => void {
  let wasTooOld = false;
  const timer = setInterval(() => {
    const isNow = isTooOld();
    if (isNow && !wasTooOld) onTooOld();
    wasTooOld = isNow;
  }, lookMs).unref();
  return () => clearInterval(timer);
}

/** A database that is about to start, beside the gateway, is waited for. */
async function patiently<Result>(work: () => Promise<Result>, { label }: Database): Promise<Result> {
  const deadlineMs = performance.now() + openPatienceMs;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      if (refusalOf(cause) !== undefined || performance.now() > deadlineMs) {
        throw new GatewayError('store-unavailable', { reason: `${reasonOf(cause)}, ${label}` }, { cause });
      }
      await pause(retryMs);
    }
  }
}

/** Somebody's rights may be there, and what takes them away not yet. */
async function refuseHalfFilled(database: Database): Promise<void> {
  const client = createClient(database);
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ filling: string | null }>('SELECT filling FROM postern_state');
    if (rows[0]?.filling == null) return;
    const problem = 'it has been filled by "postern migrate" in part';
    const advice = 'Run that again, to its end.';
    throw new GatewayError('store-corrupt', { file: database.label, problem, advice });
  } finally {
    client.end().catch(() => {});
  }
}

/** Of one moment. */
async function snapshot(pool: Pool, { label }: Database): Promise<string> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const state = await client.query<{ number: string }>('SELECT number::text FROM postern_state');
    const tables = await readTables(client, label);
    await client.query('COMMIT');
    broken = false;
    return writeDocument({ schema: schemaVersion, sequence: Number(state.rows[0]?.number), tables });
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('store-unavailable', { reason: reasonOf(cause) }, { cause });
  } finally {
    client.release(broken);
  }
}
