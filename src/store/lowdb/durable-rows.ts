/** The rows on disk, as they can be read. */
import type { Layer, View } from '../layer.ts';
import { type Row, type RowsByTable, tableNames } from '../rows.ts';
import type { TableName } from '../schema.ts';
import { RowTable } from './row-table.ts';

export class DurableRows implements View {
  readonly #tables = new Map<TableName, RowTable>(tableNames.map((name) => [name, new RowTable(name)]));

  constructor(rows: RowsByTable) {
    for (const name of tableNames) for (const row of rows[name]) this.#table(name).put(row);
  }

  get(table: TableName, id: string): Row | undefined {
    return this.#table(table).get(id);
  }

  find(table: TableName, field: string, value: string): Row | undefined {
    return this.#table(table).find(field, value);
  }

  list(table: TableName, field?: string, value?: string): readonly Row[] {
    return field === undefined ? this.#table(table).all() : this.#table(table).having(field, value);
  }

  isEmpty(table: TableName): boolean {
    return this.#table(table).size === 0;
  }

  /** Makes a layer's changes part of what is on disk. */
  apply(layer: Layer): void {
    for (const [name, id, { row, moved }] of layer.entries()) {
      const table = this.#table(name);
      if (row === undefined || moved) table.remove(id);
      if (row !== undefined) table.put(row);
    }
  }

  #table(name: TableName): RowTable {
    const table = this.#tables.get(name);
    if (!table) throw new TypeError(`no table "${name}"`);
    return table;
  }
}
