/** One table in memory, in order of insertion, searchable in constant time. */

import type { Row } from '../rows.ts';
import { type TableName, tables } from '../schema.ts';

/** Maps throughout: `__proto__` and `constructor` are ordinary ids and values. */
export class RowTable {
  readonly #rows = new Map<string, Row>();
  readonly #unique: ReadonlyMap<string, Map<unknown, Row>>;
  readonly #index: ReadonlyMap<string, Map<unknown, Map<string, Row>>>;

  constructor(name: TableName) {
    this.#unique = new Map(tables[name].unique.map((field) => [field, new Map()]));
    this.#index = new Map(tables[name].index.map((field) => [field, new Map()]));
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  find(field: string, value: unknown): Row | undefined {
    return known(this.#unique, field).get(value);
  }

  all(): Row[] {
    return [...this.#rows.values()];
  }

  having(field: string, value: unknown): Row[] {
    const found = known(this.#index, field).get(value);
    return found ? [...found.values()] : [];
  }

  /** A row that replaces another keeps its place. Uniqueness has been checked by then. */
  put(row: Row): void {
    const before = this.#rows.get(row.id);
    this.#rows.set(row.id, row);
    for (const [field, values] of this.#unique) {
      if (before && values.get(before[field]) === before) values.delete(before[field]);
      values.set(row[field], row);
    }
    for (const [field, values] of this.#index) {
      if (before && before[field] !== row[field]) dropFrom(values, before[field], row.id);
      const bucket = values.get(row[field]);
      if (bucket) bucket.set(row.id, row);
      else values.set(row[field], new Map([[row.id, row]]));
    }
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    this.#rows.delete(id);
    for (const [field, values] of this.#unique) {
      if (values.get(row[field]) === row) values.delete(row[field]);
    }
    for (const [field, values] of this.#index) dropFrom(values, row[field], id);
  }
}

function dropFrom(values: Map<unknown, Map<string, Row>>, value: unknown, id: string): void {
  const bucket = values.get(value);
  bucket?.delete(id);
  if (bucket?.size === 0) values.delete(value);
}

function known<Value>(indexes: ReadonlyMap<string, Value>, field: string): Value {
  const index = indexes.get(field);
  if (index === undefined) throw new TypeError(`no index on "${field}"`);
  return index;
}
