/** A Store of plain maps, for tests of rules that must not depend on a disk. Transactions run one at a time. */
import type { IndexField, Rows, TableName, UniqueField } from '../../src/store/schema.ts';
import { tables } from '../../src/store/schema.ts';
import { type Change, type Store, type Transaction, UniqueViolation } from '../../src/store/store.ts';

type Table = Map<string, Rows[TableName]>;
type State = Map<TableName, Table>;

export function createMemoryStore(): Store {
  let state: State = new Map((Object.keys(tables) as TableName[]).map((name) => [name, new Map()]));
  const listeners = new Set<(changes: readonly Change[]) => void>();
  let last: Promise<unknown> = Promise.resolve();

  async function transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const draft: State = new Map([...state].map(([name, rows]) => [name, new Map(rows)]));
    const changes: Change[] = [];
    const result = await work({ ...readerOf(() => draft), ...writerOf(draft, changes) });
    state = draft;
    for (const listener of listeners) listener(changes);
    return result;
  }

  return {
    ...readerOf(() => state),
    transact(work) {
      const mine = last.then(() => transact(work));
      last = mine.catch(() => undefined);
      return mine;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: async () => '',
    close: async () => undefined,
  };
}

const fieldOf = (row: Rows[TableName], field: string) => (row as unknown as Record<string, unknown>)[field];

function readerOf(state: () => State) {
  const rowsOf = <T extends TableName>(table: T) => [...(state().get(table)?.values() ?? [])] as Rows[T][];
  return {
    get: async <T extends TableName>(table: T, id: string) =>
      state().get(table)?.get(id) as Rows[T] | undefined,
    find: async <T extends TableName>(table: T, field: UniqueField<T>, value: string) =>
      rowsOf(table).find((row) => fieldOf(row, field) === value),
    list: async <T extends TableName>(table: T, field?: IndexField<T>, value?: string) =>
      rowsOf(table).filter((row) => field === undefined || fieldOf(row, field) === value),
    isEmpty: async (table: TableName) => rowsOf(table).length === 0,
  };
}

function writerOf(draft: State, changes: Change[]) {
  return {
    async put<T extends TableName>(table: T, row: Rows[T]) {
      const rows = draft.get(table) as Table;
      for (const field of tables[table].unique as readonly string[]) {
        const taken = [...rows.values()].some(
          (other) => other.id !== row.id && fieldOf(other, field) === fieldOf(row, field),
        );
        if (taken) throw new UniqueViolation(table, field);
      }
      rows.set(row.id, structuredClone(row));
      changes.push({ table, id: row.id });
    },
    async remove<T extends TableName>(table: T, id: string) {
      draft.get(table)?.delete(id);
      changes.push({ table, id });
    },
  };
}
