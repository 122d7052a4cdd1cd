/** A layer's changes as statements. */
import type { ClientBase } from 'pg';
import type { Layer } from '../layer.ts';
import { type Row, rowText, tableNames } from '../rows.ts';
import type { TableName } from '../schema.ts';
import { ask } from './database.ts';
import { columnsOf, deleteRows, upsertRows } from './layout.ts';
import type { StoredChange } from './read-cache.ts';
import { storedKey } from './stored-key.ts';

/** Puts rows that are new behind `place`, and resolves to the last place taken. */
export async function writeLayer(client: ClientBase, layer: Layer, place: bigint): Promise<bigint> {
  let last = place;
  const entries = [...layer.entries()];
  for (const table of tableNames) {
    const own = entries.filter(([name]) => name === table);
    const gone = own.flatMap(([, id, { row, moved }]) => (row === undefined || moved ? [id] : []));
    const rows = own.flatMap(([, , { row }]) => (row === undefined ? [] : [row]));
    if (gone.length > 0) await ask(client, deleteRows(table), [gone.map(storedKey)]);
    if (rows.length > 0) last = await putRows(client, table, rows, last);
  }
  return last;
}

export async function putRows(
  client: ClientBase,
  table: TableName,
  rows: readonly Row[],
  place: bigint,
): Promise<bigint> {
  const keyOf = (value: unknown) => (typeof value === 'string' ? storedKey(value) : null);
  await ask(client, upsertRows(table), [
    rows.map(({ id }) => storedKey(id)),
    rows.map((_, index) => String(place + BigInt(index + 1))),
    rows.map(rowText),
    ...columnsOf(table).map(([field]) => rows.map((row) => keyOf(row[field]))),
  ]);
  return place + BigInt(rows.length);
}

export function changesOf(layer: Layer): readonly StoredChange[] {
  return [...layer.entries()].map(([table, id, { row }]) => {
    const versions = [layer.below.get(table, id), row];
    const values = columnsOf(table).flatMap(([field]) =>
      versions.flatMap((version) => {
        const value = version?.[field];
        return typeof value === 'string' ? [[field, value] as const] : [];
      }),
    );
    return { table, id, values };
  });
}
