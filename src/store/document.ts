/** What DATA/postern.json holds: a schema version, a sequence number that grows with each write, the tables. */

import { rowShapes } from './row-shapes.ts';
import { adoptedRow, type Row, type RowsByTable, rowText, tableNames } from './rows.ts';
import { type TableName, tables } from './schema.ts';

export interface StoredDocument {
  readonly schema: number;
  readonly sequence: number;
  readonly tables: RowsByTable;
}

/** A document of some older schema, one version on. */
export type Migration = (document: RawDocument) => RawDocument;

export interface RawDocument {
  readonly schema: number;
  readonly sequence: number;
  readonly tables: Readonly<Record<string, readonly unknown[]>>;
}

/** The text is no document of ours; the message says where it goes wrong, and quotes none of it. */
export class UnreadableDocument extends Error {
  override readonly name = 'UnreadableDocument';
}

/** Written by a version that came after this one. */
export class NewerDocument extends Error {
  override readonly name = 'NewerDocument';
  readonly found: number;

  constructor(found: number) {
    super(`schema ${found}`);
    this.found = found;
  }
}

// By hand: zod would drop a table called __proto__ without a word.
function isRawDocument(value: unknown): value is RawDocument {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, sequence, tables: rows } = value as Partial<RawDocument>;
  const numbers = Number.isSafeInteger(schema) && Number.isSafeInteger(sequence);
  const shaped = typeof rows === 'object' && rows !== null && Object.values(rows).every(Array.isArray);
  return numbers && shaped && (schema as number) >= 1 && (sequence as number) >= 0;
}

/** One row per line, so that people can read, search and compare the file. */
export function writeDocument({ schema, sequence, tables: rows }: StoredDocument): string {
  const parts = tableNames.map((name) => {
    const lines = rows[name].map(rowText).join(',\n');
    return `${JSON.stringify(name)}:[${lines === '' ? '' : `\n${lines}\n`}]`;
  });
  return `{"schema":${schema},"sequence":${sequence},"tables":{\n${parts.join(',\n')}\n}}\n`;
}

/**
 * Reads and checks a document in full, brought to the present schema by `migrations` (from version → one on).
 * `schema` of the result is the one found. Throws UnreadableDocument or NewerDocument.
 */
export function readDocument(
  text: string,
  migrations: ReadonlyMap<number, Migration>,
  version: number,
): StoredDocument {
  const parsed = parseJson(text);
  if (!isRawDocument(parsed)) throw new UnreadableDocument('it is not a store of Postern');
  let document: RawDocument = parsed;
  const foundSchema = document.schema;
  if (foundSchema > version) throw new NewerDocument(foundSchema);
  while (document.schema < version) {
    const migrate = migrations.get(document.schema);
    if (!migrate)
      throw new UnreadableDocument(`there is no way from schema ${document.schema} to ${version}`);
    document = { ...migrate(document), schema: document.schema + 1 };
  }
  return { schema: foundSchema, sequence: document.sequence, tables: readTables(document.tables) };
}

function parseJson(text: string): unknown {
  if (text === '') throw new UnreadableDocument('it is empty');
  try {
    return JSON.parse(text);
  } catch (error) {
    const where = /at position \d+(?: \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0];
    throw new UnreadableDocument(`it is not valid JSON${where ? ` (${where})` : ''}`);
  }
}

function readTables(raw: RawDocument['tables']): RowsByTable {
  const unknown = Object.keys(raw).find((name) => !Object.hasOwn(tables, name));
  if (unknown !== undefined)
    throw new UnreadableDocument(`it has an unknown table ${JSON.stringify(unknown)}`);
  const read = tableNames.map((name) => [name, readRows(name, Object.hasOwn(raw, name) ? raw[name] : [])]);
  return Object.fromEntries(read) as RowsByTable;
}

function readRows(name: TableName, raw: readonly unknown[] = []): readonly Row[] {
  const seen = new Map(['id', ...tables[name].unique].map((field) => [field, new Set<unknown>()]));
  return raw.map((row, index) => {
    const where = `row ${index + 1} of table "${name}"`;
    const checked = rowShapes[name].safeParse(row);
    if (!checked.success) {
      const field = checked.error.issues[0]?.path.join('.') ?? '';
      throw new UnreadableDocument(`${where} is malformed${field === '' ? '' : ` (${field})`}`);
    }
    for (const [field, values] of seen) {
      const value = (row as Row)[field];
      if (values.has(value)) throw new UnreadableDocument(`${where} repeats the ${field} of another row`);
      values.add(value);
    }
    return adoptedRow(row as Row);
  });
}
