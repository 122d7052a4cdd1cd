import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { urlOf } from '../postgres.ts';
import { makeCluster, type PostgresServer, startServer } from '../postgres-server.ts';
import { cacheFolder } from './cache-folder.ts';
import { isRunning } from './lock.ts';

/** Found running, or started; it goes on running after the tests: another run may be using it, and the next one starts faster. */
export async function findPostgres(): Promise<PostgresServer> {
  // Its user must get there, and the path of a unix socket be short.
  const folder =
    process.getuid?.() === 0 ? '/var/lib/postern-test-postgres' : join(cacheFolder(), 'postgres');
  const port = portOf(folder);
  if (port !== undefined) return { folder, port };
  if (!existsSync(join(folder, 'log'))) await makeCluster(folder);
  return startServer(folder);
}

/** Databases of runs that are over: who was killed dropped none. */
export async function dropForgottenDatabases(server: PostgresServer): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(server, 'postgres') });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    "SELECT datname AS name FROM pg_database WHERE datname ~ '^t_[0-9]+_'",
  );
  for (const { name } of rows) {
    if (!isRunning(Number(name.split('_')[1])))
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
  await client.end();
}

/** Of postmaster.pid: process, data folder, start, port, … */
function portOf(folder: string): number | undefined {
  const file = join(folder, 'data/postmaster.pid');
  if (!existsSync(file)) return undefined;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n');
  return isRunning(Number(pid)) ? Number(port) : undefined;
}
