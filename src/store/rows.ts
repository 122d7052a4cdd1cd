/** Rows as the store keeps them: frozen plain objects, each with the JSON text it is written as. */
import type { TableName } from './schema.ts';
import { tables } from './schema.ts';

export interface Row {
  readonly id: string;
  readonly [field: string]: unknown;
}

export type RowsByTable = { readonly [T in TableName]: readonly Row[] };

export const tableNames = Object.keys(tables) as TableName[];

/** Keyed by the row itself, so that a write of 100,000 rows joins texts instead of making them again. */
const texts = new WeakMap<Row, string>();

/** A deep-frozen copy of plain data. Throws a TypeError when `row` is not JSON or has no id. */
export function storedRow(row: object): Row {
  const text = JSON.stringify(row);
  const copy = deepFreeze(JSON.parse(text) as Row);
  if (typeof copy.id !== 'string') throw new TypeError('a row needs an id');
  texts.set(copy, text);
  return copy;
}

/** A row read from the file, frozen, its text made now rather than in somebody's first write. */
export function adoptedRow(row: Row): Row {
  texts.set(row, JSON.stringify(row));
  return deepFreeze(row);
}

/** On one line: JSON text holds no raw line end. */
export function rowText(row: Row): string {
  let text = texts.get(row);
  if (text === undefined) {
    text = JSON.stringify(row);
    texts.set(row, text);
  }
  return text;
}

/** The value itself, which nobody can change from now on. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
