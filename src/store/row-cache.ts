/**
 * Rows that were read lately, in front of a Reader that is slow to ask. Coherent as long as its owner calls `forget` for
 * each change before the change is acknowledged to anybody. What was asked before a change and is answered after it is not kept.
 */
import { createRecentMap } from './recent-map.ts';
import { type Row, tableNames } from './rows.ts';
import type { TableName } from './schema.ts';
import type { Change, Reader } from './store.ts';

export interface RowCacheOptions {
  /** Of each table as many rows, as many in lists, and as many that were looked for in vain; 10,000. */
  readonly maxRowsPerTable?: number;
}

export interface RowCache extends Reader {
  forget(changes: readonly Change[]): void;
  /** Everything; what is being asked for now is not kept either. */
  clear(): void;
}

/** The source hands out rows that nobody can change. */
export function createRowCache(source: Reader, options: RowCacheOptions = {}): RowCache {
  const tables = new Map(tableNames.map((name) => [name, createTableCache(source, name, options)]));
  const of = (table: TableName): TableCache => {
    const cache = tables.get(table);
    if (!cache) throw new TypeError(`no table "${table}"`);
    return cache;
  };
  const reader = {
    get: async (table: TableName, id: string) => of(table).get(id),
    find: async (table: TableName, field: string, value: string) => of(table).find(field, value),
    list: async (table: TableName, field?: string, value?: string) => of(table).list(field, value),
    isEmpty: (table: TableName) => source.isEmpty(table),
  };
  return {
    ...(reader as unknown as Reader),
    forget(changes) {
      for (const { table, id } of changes) of(table).forget(id);
    },
    clear() {
      for (const cache of tables.values()) cache.forget(undefined);
    },
  };
}

interface TableCache {
  get(id: string): Promise<Row | undefined> | Row | undefined;
  find(field: string, value: string): Promise<Row | undefined> | Row | undefined;
  list(field?: string, value?: string): Promise<readonly Row[]> | readonly Row[];
  /** Undefined: every row. */
  forget(id: string | undefined): void;
}

/**
 * A row is found by the id that its unique value led to lately, and by its having that value still: so a change of it makes
 * both go. That nobody has a value, and who is in a list, may be changed by any row.
 */
function createTableCache(
  source: Reader,
  table: TableName,
  { maxRowsPerTable = 10_000 }: RowCacheOptions,
): TableCache {
  const rows = createRecentMap<Row>(maxRowsPerTable);
  const ids = createRecentMap<string>(maxRowsPerTable);
  const absent = createRecentMap<true>(maxRowsPerTable);
  const lists = createRecentMap<readonly Row[]>(maxRowsPerTable);
  const questions = createQuestions();

  const keepRow = (row: Row | undefined, key: string) => {
    if (row) rows.set(row.id, row);
    else absent.set(key, true);
  };

  return {
    get(id) {
      const row = rows.get(id);
      const key = `id ${id}`;
      if (row || absent.get(key)) return row;
      const keep = (found: Row | undefined) => keepRow(found, key);
      return questions.ask(key, () => source.get(table, id), keep);
    },

    find(field, value) {
      const key = `${field} is ${value}`;
      const row = rows.get(ids.get(key) ?? '');
      if (row && row[field] === value) return row;
      if (absent.get(key)) return undefined;
      const keep = (found: Row | undefined) => {
        keepRow(found, key);
        if (found) ids.set(key, found.id);
      };
      return questions.ask(key, () => source.find(table, field as never, value), keep);
    },

    list(field, value) {
      const key = field === undefined ? 'all' : `all ${field} ${value}`;
      const known = lists.get(key);
      if (known) return known;
      const keep = (found: readonly Row[]) => lists.set(key, Object.freeze(found), found.length + 1);
      return questions.ask(key, () => source.list(table, field as never, value), keep);
    },

    forget(id) {
      questions.forget();
      absent.clear();
      lists.clear();
      if (id !== undefined) return rows.delete(id);
      rows.clear();
      ids.clear();
    },
  };
}

/** Those who ask for the same at the same time share an answer; who asks after a change asks anew. */
function createQuestions() {
  const underWay = new Map<string, Promise<unknown>>();
  return {
    ask<Answer>(key: string, fetch: () => Promise<unknown>, keep: (answer: Answer) => void): Promise<Answer> {
      const known = underWay.get(key);
      if (known) return known as Promise<Answer>;
      const isNewest = () => underWay.get(key) === asked;
      const asked: Promise<Answer> = fetch().then(
        (answer) => {
          if (isNewest()) keep(answer as Answer);
          if (isNewest()) underWay.delete(key);
          return answer as Answer;
        },
        (error: unknown) => {
          if (isNewest()) underWay.delete(key);
          throw error;
        },
      );
      underWay.set(key, asked);
      return asked;
    },
    /** What is answered from now on to what was asked before is not kept. */
    forget: () => underWay.clear(),
  };
}
