/** Databases of their own for tests, on the server that the set-up has found or started. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** One statement, on a connection of its own. */
  readonly query: (text: string) => Promise<Record<string, unknown>[]>;
  readonly drop: () => Promise<void>;
}

/** `postgres://…/NAME` at a server's unix socket. */
export const urlOf = (server: { folder: string; port: number }, name: string): string =>
  `postgres://postern@/${name}?host=${encodeURIComponent(server.folder)}&port=${server.port}`;

export function sharedServer(): { folder: string; port: number } {
  const given = process.env['TEST_POSTGRES'];
  if (given === undefined) throw new Error('no PostgreSQL: the set-up of the tests starts one');
  return JSON.parse(given) as { folder: string; port: number };
}

export async function createTestDatabase(server = sharedServer()): Promise<TestDatabase> {
  const name = `t_${process.pid}_${randomBytes(6).toString('hex')}`;
  await queryOnce(urlOf(server, 'postgres'), `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = urlOf(server, name);
  return {
    name,
    url,
    query: (text) => queryOnce(url, text),
    drop: async () => {
      await queryOnce(urlOf(server, 'postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function queryOnce(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}
