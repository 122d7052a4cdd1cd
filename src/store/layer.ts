/**
 * Changes above what can be read below, thrown away as a whole when a transaction throws or the disk fails. Nothing is ever
 * undone.
 */
import { type Row, storedRow, tableNames } from './rows.ts';
import { type TableName, tables } from './schema.ts';
import { UniqueViolation } from './store.ts';

export interface View {
  get(table: TableName, id: string): Row | undefined;
  find(table: TableName, field: string, value: string): Row | undefined;
  list(table: TableName, field?: string, value?: string): readonly Row[];
  isEmpty(table: TableName): boolean;
}

/** `row` undefined: removed. `moved`: removed and put again, so it comes last. */
interface Entry {
  readonly row: Row | undefined;
  readonly moved: boolean;
}

export class Layer implements View {
  /** What lies below; the layer above a flushed one is set down on the durable rows. */
  below: View;
  readonly #entries = new Map<TableName, Map<string, Entry>>(tableNames.map((name) => [name, new Map()]));
  readonly #ownUnique = new Map<string, Map<unknown, Row>>();

  constructor(below: View) {
    this.below = below;
  }

  get(table: TableName, id: string): Row | undefined {
    const entry = this.#of(table).get(id);
    return entry ? entry.row : this.below.get(table, id);
  }

  find(table: TableName, field: string, value: string): Row | undefined {
    const own = this.#ownUnique.get(`${table}.${field}`)?.get(value);
    if (own) return own;
    const row = this.below.find(table, field, value);
    return row && this.#of(table).has(row.id) ? undefined : row;
  }

  list(table: TableName, field?: string, value?: string): readonly Row[] {
    const below = this.below.list(table, field, value);
    const entries = this.#of(table);
    if (entries.size === 0) return below;
    const matches = (row: Row | undefined): row is Row =>
      row !== undefined && (field === undefined || row[field] === value);
    const inPlace = new Set<string>();
    const kept: Row[] = [];
    for (const row of below) {
      const entry = entries.get(row.id);
      if (!entry) {
        kept.push(row);
      } else if (!entry.moved && matches(entry.row)) {
        inPlace.add(row.id);
        kept.push(entry.row);
      }
    }
    for (const [id, { row }] of entries) if (matches(row) && !inPlace.has(id)) kept.push(row);
    return kept;
  }

  isEmpty(table: TableName): boolean {
    if (!this.touches(table)) return this.below.isEmpty(table);
    for (const { row } of this.#of(table).values()) if (row) return false;
    return this.list(table).length === 0;
  }

  /** Whether it changes any row of the table. */
  touches(table: TableName): boolean {
    return this.#of(table).size > 0;
  }

  put(table: TableName, given: object): void {
    const row = storedRow(given);
    for (const field of tables[table].unique) {
      const other = this.find(table, field, row[field] as string);
      if (other && other.id !== row.id) throw new UniqueViolation(table, field);
    }
    const before = this.#of(table).get(row.id);
    const moved = before !== undefined && (before.moved || before.row === undefined);
    this.#set(table, row.id, { row, moved });
  }

  remove(table: TableName, id: string): void {
    if (this.get(table, id) !== undefined) this.#set(table, id, { row: undefined, moved: false });
  }

  /** Takes over another layer's changes. */
  absorb(layer: Layer): void {
    for (const [table, id, entry] of layer.entries()) {
      const before = this.#of(table).get(id);
      const moved = entry.moved || (before !== undefined && (before.moved || before.row === undefined));
      this.#set(table, id, { row: entry.row, moved: entry.row !== undefined && moved });
    }
  }

  *entries(): Iterable<[TableName, string, Entry]> {
    for (const [table, entries] of this.#entries) {
      for (const [id, entry] of entries) yield [table, id, entry];
    }
  }

  #of(table: TableName): Map<string, Entry> {
    const entries = this.#entries.get(table);
    if (!entries) throw new TypeError(`no table "${table}"`);
    return entries;
  }

  #set(table: TableName, id: string, entry: Entry): void {
    const entries = this.#of(table);
    const before = entries.get(id);
    for (const field of tables[table].unique) {
      const key = `${table}.${field}`;
      const values = this.#ownUnique.get(key) ?? new Map<unknown, Row>();
      this.#ownUnique.set(key, values);
      if (before?.row && values.get(before.row[field]) === before.row) values.delete(before.row[field]);
      if (entry.row) values.set(entry.row[field], entry.row);
    }
    // A row put again comes last, in this layer too.
    if (entry.moved) entries.delete(id);
    entries.set(id, entry);
  }
}
