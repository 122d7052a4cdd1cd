/** Tables and statements of the store in PostgreSQL. What stands in a statement's text are names of ours; all else is a parameter. */
import { type TableName, tables } from '../schema.ts';

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Throws a TypeError for what is no table. */
export function tableOf(name: TableName): string {
  if (!Object.hasOwn(tables, name)) throw new TypeError(`no table "${name}"`);
  return `postern_${snake(name)}`;
}

/** The fields of a table that have a column of their own, each with its column. */
export function columnsOf(name: TableName): readonly (readonly [field: string, column: string])[] {
  return [...tables[name].unique, ...tables[name].index].map((field) => [field, snake(field)]);
}

function columnOf(name: TableName, field: string): string {
  const column = columnsOf(name).find(([known]) => known === field)?.[1];
  if (column === undefined) throw new TypeError(`no index on "${field}"`);
  return column;
}

/** `name`: PostgreSQL prepares it once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export const selectById = (table: TableName): Statement => ({
  name: `get ${table}`,
  text: `SELECT body FROM ${tableOf(table)} WHERE id = $1`,
});

export const selectByField = (table: TableName, field: string): Statement => ({
  name: `by ${table} ${field}`,
  text: `SELECT body FROM ${tableOf(table)} WHERE ${columnOf(table, field)} = $1 ORDER BY place`,
});

export const selectAll = (table: TableName): Statement => ({
  name: `all ${table}`,
  text: `SELECT body FROM ${tableOf(table)} ORDER BY place`,
});

export const selectAny = (table: TableName): Statement => ({
  name: `any ${table}`,
  text: `SELECT body FROM ${tableOf(table)} LIMIT 1`,
});

export const selectKeyForLogin: Statement = {
  name: 'key for login',
  text: `SELECT k.body, a.body AS account, s.body AS second_factor FROM postern_keys k
    LEFT JOIN postern_accounts a ON a.id = k.account_id LEFT JOIN postern_second_factors s ON s.id = k.account_id
    WHERE k.fingerprint = $1`,
};

export const countRows = (table: TableName): string =>
  `SELECT count(*)::text AS count FROM ${tableOf(table)}`;
export const emptyTable = (table: TableName): string => `DELETE FROM ${tableOf(table)}`;

export const deleteRows = (table: TableName): Statement => ({
  name: `delete ${table}`,
  text: `DELETE FROM ${tableOf(table)} WHERE id = ANY ($1::text[])`,
});

/** Parameters: ids, places, bodies, then the values of each column. A row that is there keeps its place. */
export function upsertRows(table: TableName): Statement {
  const columns = columnsOf(table).map(([, column]) => column);
  const names = ['id', 'place', 'body', ...columns];
  const arrays = names.map((name, index) => `$${index + 1}::${name === 'place' ? 'bigint' : 'text'}[]`);
  const updates = ['body', ...columns].map((name) => `${name} = excluded.${name}`);
  const text = `INSERT INTO ${tableOf(table)} (${names.join(', ')})
    SELECT * FROM unnest(${arrays.join(', ')}) ON CONFLICT (id) DO UPDATE SET ${updates.join(', ')}`;
  return { name: `upsert ${table}`, text };
}

/** Takes the one lock of all that write, until the transaction's end: so what they write has the order of its numbers. */
export const beginAlone = `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT layout, number::text, place::text, filling FROM postern_state FOR UPDATE`;

export const advanceState: Statement = {
  name: 'advance',
  text: `WITH change AS (
    INSERT INTO postern_changes (number, transaction, gateway, changes) VALUES ($1, $3, $4, $5)
  )
  UPDATE postern_state SET number = $1, place = $2`,
};

/** NOTIFY carries nothing but the number; it goes out with the commit. */
export const tellOthers: Statement = { name: 'tell', text: `SELECT pg_notify('postern_changes', $1)` };
export const listenForOthers = 'LISTEN postern_changes';

export const wasWritten: Statement = {
  name: 'was written',
  text: 'SELECT 1 FROM postern_changes WHERE number = $1 AND transaction = $2',
};

/** The newest number, and what changed behind `$1`, oldest first; one row without a change where nothing did. */
export const selectChanges: Statement = {
  name: 'changes',
  text: `SELECT s.number::text AS newest, c.number::text AS number, c.changes
    FROM postern_state s LEFT JOIN postern_changes c ON c.number > $1 ORDER BY c.number LIMIT 500`,
};

/** Who was cut off for longer reads everything anew. */
export const forgetOldChanges: Statement = {
  name: 'forget',
  text: `DELETE FROM postern_changes WHERE number < $1 AND at < now() - interval '1 hour'`,
};
