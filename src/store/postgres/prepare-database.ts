/** Brings a database to the layout that this version knows. */
import { GatewayError } from '../../errors.ts';
import { createClient, type Database } from './database.ts';
import { migrations } from './migrations.ts';

/** Of the advisory lock under which one gateway of many makes or changes the tables; any number, but always the same. */
const migrationLock = 7_467_736;

/**
 * Resolves when the tables are there. Throws store-newer when a newer version made them; then nothing is changed.
 * `known`: for tests of migrations to come.
 */
export async function prepareDatabase(
  database: Database,
  known: readonly string[] = migrations,
): Promise<void> {
  const client = createClient(database);
  client.on('error', () => {});
  await client.connect();
  try {
    // Others may be at it for longer than any statement takes.
    await client.query("SET lock_timeout = '60s'; SET statement_timeout = '10min'");
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    const found = await findLayout(client);
    if (found > known.length) {
      throw new GatewayError('store-newer', { file: database.label, found, known: known.length });
    }
    for (let layout = found; layout < known.length; layout++) {
      await client.query(`BEGIN; ${known[layout]}; UPDATE postern_state SET layout = ${layout + 1}; COMMIT`);
    }
  } finally {
    await client.end();
  }
}

async function findLayout(client: ReturnType<typeof createClient>): Promise<number> {
  const { rows } = await client.query<{ name: string | null }>("SELECT to_regclass('postern_state') AS name");
  if (rows[0]?.name == null) return 0;
  const state = await client.query<{ layout: number }>('SELECT layout FROM postern_state');
  return state.rows[0]?.layout ?? 0;
}
