/** All rows of a database. */
import type { ClientBase } from 'pg';
import { type RowsByTable, tableNames } from '../rows.ts';
import { ask } from './database.ts';
import { answerOf } from './read-rows.ts';

/** Of one moment only within a transaction that sees one. Throws store-corrupt. */
export async function readTables(client: ClientBase, label: string): Promise<RowsByTable> {
  const read: [string, unknown][] = [];
  for (const table of tableNames) {
    const question = { kind: 'list', table, field: undefined, value: undefined } as const;
    read.push([
      table,
      await answerOf(question, (statement, values) => ask(client, statement, values), label),
    ]);
  }
  return Object.fromEntries(read) as unknown as RowsByTable;
}
