import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** Of postmaster.pid: process, data folder, start, port, … */
function portOf(folder: string): number | undefined {
  const file = join(folder, 'data/postmaster.pid');
  if (!existsSync(file)) return undefined;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n');
  return isRunning(Number(pid)) ? Number(port) : undefined;
}
