/** Whether two stores hold the same: how many rows of each table, and the hash of them in their order. */
import { createHash } from 'node:crypto';
import { type RowsByTable, rowText, tableNames } from './rows.ts';
import type { TableName } from './schema.ts';

export interface TableDigest {
  readonly table: TableName;
  readonly rows: number;
  /** SHA-256, hex, of the rows as JSON, each with a line end. */
  readonly sha256: string;
}

export function digestRows(tables: RowsByTable): readonly TableDigest[] {
  return tableNames.map((table) => {
    const hash = createHash('sha256');
    for (const row of tables[table]) hash.update(rowText(row)).update('\n');
    return { table, rows: tables[table].length, sha256: hash.digest('hex') };
  });
}

/** Of all tables together. */
export const wholeDigest = (digests: readonly TableDigest[]): string =>
  createHash('sha256').update(JSON.stringify(digests)).digest('hex');
