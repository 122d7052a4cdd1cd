/** Puts the rows of another store into a database, so that it can be cut off anywhere and gone on with. */
import type { Client } from 'pg';
import { GatewayError } from '../../errors.ts';
import { digestRows, wholeDigest } from '../row-digests.ts';
import { type RowsByTable, tableNames } from '../rows.ts';
import type { TableName } from '../schema.ts';
import { createClient, type Database, databaseOf } from './database.ts';
import { notWritten } from './faults.ts';
import { beginAlone, countRows, emptyTable } from './layout.ts';
import { prepareDatabase } from './prepare-database.ts';
import { readTables } from './read-tables.ts';
import { putRows } from './write-layer.ts';

/** So many in one transaction. */
const rowsAtOnce = 1_000;

/**
 * Resolves when the database holds exactly these rows, and has been read to see that it does. While it is filled, no gateway
 * opens it. Throws migration-refused when it holds others.
 */
export async function fillDatabase(url: string, tables: RowsByTable): Promise<void> {
  const database = databaseOf({ url, applicationName: 'postern migrate' });
  await prepareDatabase(database).catch((error) => Promise.reject(notWritten(error)));
  const client = createClient(database);
  client.on('error', () => {});
  try {
    await client.connect();
    const digest = wholeDigest(digestRows(tables));
    if (await isThereAlready(client, database, digest)) return;
    await beginFilling(client, digest);
    for (const table of tableNames) await fillTable(client, table, tables[table]);
    const found = wholeDigest(digestRows(await readTables(client, database.label)));
    if (found !== digest) {
      const problem = 'what was read from it afterwards is not what was written; empty it, and begin anew';
      throw new GatewayError('migration-refused', { place: database.label, problem });
    }
    // Two at once: whoever has it open finds a gap, and reads everything anew.
    await client.query('UPDATE postern_state SET filling = NULL, number = number + 2');
  } catch (error) {
    throw notWritten(error);
  } finally {
    await client.end().catch(() => {});
  }
}

async function isThereAlready(client: Client, { label }: Database, digest: string): Promise<boolean> {
  const { rows } = await client.query<{ filling: string | null }>('SELECT filling FROM postern_state');
  if (rows[0]?.filling != null) return false;
  const held = await readTables(client, label);
  if (wholeDigest(digestRows(held)) === digest) return true;
  if (tableNames.every((table) => held[table].length === 0)) return false;
  const problem = 'it has other rows already; name an empty one';
  throw new GatewayError('migration-refused', { place: label, problem });
}

/** What was begun from other rows goes; nobody has used it. */
async function beginFilling(client: Client, digest: string): Promise<void> {
  await client.query(beginAlone);
  const { rows } = await client.query<{ filling: string | null }>('SELECT filling FROM postern_state');
  if (rows[0]?.filling !== digest) for (const table of tableNames) await client.query(emptyTable(table));
  await client.query('UPDATE postern_state SET filling = $1', [digest]);
  await client.query('COMMIT');
}

/** What is there is the beginning of it. */
async function fillTable(client: Client, table: TableName, rows: RowsByTable[TableName]): Promise<void> {
  const counted = await client.query<{ count: string }>(countRows(table));
  for (let next = Number(counted.rows[0]?.count); next < rows.length; next += rowsAtOnce) {
    await client.query(beginAlone);
    const state = await client.query<{ place: string }>('SELECT place::text FROM postern_state');
    const place = BigInt(state.rows[0]?.place ?? 0);
    const last = await putRows(client, table, rows.slice(next, next + rowsAtOnce), place);
    await client.query('UPDATE postern_state SET place = $1', [String(last)]);
    await client.query('COMMIT');
  }
}
