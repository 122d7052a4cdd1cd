/** PostgreSQL servers of the tests' own: a folder with data, unix socket and log, a port of 127.0.0.1, and never root. */
import { execFile, execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

export interface PostgresServer {
  /** Where its socket is, and the folder `data`. */
  readonly folder: string;
  readonly port: number;
}

const run = promisify(execFile);

/** Nothing of a test needs to survive a power cut; all else is as it comes. */
const settings = (folder: string) => `
listen_addresses = '127.0.0.1'
unix_socket_directories = '${folder}'
max_connections = 300
shared_buffers = 32MB
fsync = off
full_page_writes = off
`;

/** Debian keeps these programs apart from the path. */
function programPath(name: string): string {
  const found = globSync(`/usr/lib/postgresql/*/bin/${name}`).sort().at(-1);
  if (found === undefined) throw new Error(`${name} is not installed: apt-get install postgresql`);
  return found;
}

/** initdb and postgres refuse to run as root; Debian's package has made a user for them. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const asServerUser = (program: string, args: readonly string[], folder: string) =>
  run(programPath(program), args, { cwd: folder, ...serverUser() });

/** Fills `folder` with a new cluster, whose superuser is `postern` and needs no password. */
export async function makeCluster(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  const options = ['--auth=trust', '--username=postern', '--encoding=UTF8', '--no-locale', '--no-sync'];
  await asServerUser('initdb', ['-D', join(folder, 'data'), ...options], folder);
  await writeFile(join(folder, 'data/postgresql.conf'), settings(folder), { flag: 'a' });
}

/** Outlives whoever started it. */
export async function startServer(folder: string, port?: number): Promise<PostgresServer> {
  const taken = port ?? (await freePort());
  const data = ['-D', join(folder, 'data'), '-l', join(folder, 'log')];
  await asServerUser('pg_ctl', [...data, '-o', `-p ${taken}`, '-w', '-t', '60', '-s', 'start'], folder);
  return { folder, port: taken };
}

/** `immediate`: as a crash ends it. */
export async function stopServer(folder: string, mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
  await asServerUser('pg_ctl', ['-D', join(folder, 'data'), '-m', mode, '-w', '-s', 'stop'], folder);
}
