/**
 * The port behind which everything that must survive is kept. Asynchronous and of plain data, so that
 * a file, a process across IPC or a database can stand behind it. Every implementation passes
 * `test/conformance/store.ts`.
 */
import type { IndexField, Rows, TableName, UniqueField } from './schema.ts';

export interface Reader {
  get<T extends TableName>(table: T, id: string): Promise<Rows[T] | undefined>;
  /** The row whose unique `field` equals `value`. Costs the same at any size. */
  find<T extends TableName>(table: T, field: UniqueField<T>, value: string): Promise<Rows[T] | undefined>;
  /** Rows in order of insertion; all of them, or those whose indexed `field` equals `value`. */
  list<T extends TableName>(table: T, field?: IndexField<T>, value?: string): Promise<readonly Rows[T][]>;
  /** Whether it has no row. Costs the same at any size. */
  isEmpty(table: TableName): Promise<boolean>;
}

export interface Transaction extends Reader {
  /** Inserts, or replaces the row of the same id. Throws UniqueViolation when another row has a unique value of it. */
  put<T extends TableName>(table: T, row: Rows[T]): Promise<void>;
  /** Removing what is not there is no error. */
  remove<T extends TableName>(table: T, id: string): Promise<void>;
}

export interface Change {
  readonly table: TableName;
  /** Absent: any row of the table may have changed, in a time when changes could not be heard of. */
  readonly id?: string;
}

export interface Store extends Reader {
  /**
   * Runs `work` alone, as if no other transaction ran; it sees its own writes. Resolves only when the
   * changes are on disk. If `work` throws, nothing changed; if the disk fails, `store-write-failed`
   * is thrown and nothing changed.
   */
  transact<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Called after each transaction became visible. Returns the function that ends the subscription. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** All of it at one moment, what is on disk and no more, in the form that the store opens from. */
  snapshot(): Promise<string>;
  close(): Promise<void>;
}

/** Two rows of one table would have the same unique value. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
  readonly table: TableName;
  readonly field: string;

  constructor(table: TableName, field: string) {
    super(`another row of ${table} has this ${field}`);
    this.table = table;
    this.field = field;
  }
}
