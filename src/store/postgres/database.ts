/** The driver's configuration for a database, and the one place where connections to it are made. */
import { isIP, Socket } from 'node:net';
import pg from 'pg';
import { hostOfStore, labelOfStore } from '../../config/store-url.ts';
import type { Statement } from './layout.ts';

export interface DatabaseOptions {
  /** `postgres://USER@HOST/DATABASE`; what it leaves out comes from PGHOST, PGPASSWORD, PGPASSFILE and so on. */
  readonly url: string;
  /** What the database's own lists call these connections. */
  readonly applicationName: string;
}

export interface Database {
  readonly config: pg.PoolConfig;
  /** The URL as it may be shown. */
  readonly label: string;
  /** For the end: a connection over which nothing passes any more does not close by itself. */
  destroySockets(): void;
}

const connectTimeoutMs = 3_000;
/** For whoever holds the lock of all writers and says nothing more. */
const silenceMs = 5_000;
const lockTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;

export function databaseOf({ url, applicationName }: DatabaseOptions): Database {
  const sockets = new Set<Socket>();
  const config = {
    connectionString: url,
    ...(isEncryptionUnsaid(url) && isFarAway(url) ? { ssl: true } : {}),
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: silenceMs,
  };
  const destroySockets = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { config, label: labelOfStore(url), destroySockets };
}

const isEncryptionUnsaid = (url: string) => !/[?&]ssl/.test(url) && process.env['PGSSLMODE'] === undefined;

/** Rows pass there that decide who comes in: so TLS, the certificate checked, unless somebody said otherwise. */
function isFarAway(url: string): boolean {
  const host = hostOfStore(url) || process.env['PGHOST'] || 'localhost';
  if (host.startsWith('/') || host === 'localhost' || host === '::1') return false;
  return isIP(host) !== 4 || !host.startsWith('127.');
}

export type Rows = readonly Readonly<Record<string, string | null>>[];

/** A query that did not end in time leaves its connection unusable: give it back with the error. */
export async function ask(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly unknown[],
  timeoutMs?: number,
): Promise<Rows> {
  const result = await client.query({
    ...statement,
    values: [...values],
    ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
  } as pg.QueryConfig);
  return result.rows as Rows;
}

export function openPool({ config }: Database, max: number, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({ ...config, max, idleTimeoutMillis: 30_000, allowExitOnIdle: true });
  // An idle connection that ends is replaced by the pool; whoever uses one is told by what was asked.
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  return pool;
}

export const createClient = ({ config }: Database): pg.Client => new pg.Client(config);
