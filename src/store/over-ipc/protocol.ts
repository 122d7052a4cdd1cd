/** What the two ends of a store over IPC say to each other; `versions` in ipc/hello.ts says which change needs a new version. */
import type { Row } from '../rows.ts';
import { type TableName, tables } from '../schema.ts';
import type { Change } from '../store.ts';

/** From here on, tell of changes. A notification, the first thing on each connection. */
export const attachMethod = 'store.attach';
/** A request by the server; once it is answered, the client reads nothing older. */
export const changedMethod = 'store.changed';
/** A request by the server that is answered at once, by whoever lives. */
export const aliveMethod = 'store.alive';

/** How much of the changes a client has heard: so many, of that server. */
export interface Heard {
  readonly server: string;
  readonly count: number;
}

export interface Changed extends Heard {
  /** Undefined: more than can be told. */
  readonly transactions?: readonly (readonly Change[])[];
}

export type GetParams = readonly [table: TableName, id: string];
export type FindParams = readonly [table: TableName, field: string, value: string];
export type ListParams = readonly [table: TableName, field?: string, value?: string];
/** A read with the number of the transaction that it is made in; without, outside of any. */
export interface ReadParams<Params> {
  readonly of: Params;
  readonly in?: number;
}
export type PutParams = readonly [transaction: number, table: TableName, row: Row];
export type RemoveParams = readonly [transaction: number, table: TableName, id: string];

/** What a put comes to: nothing, or the field whose value another row has. */
export type PutAnswer = { readonly taken: string } | undefined;

/** Of a process that may be of another version. Throws a TypeError. */
export function checkTable(table: unknown): TableName {
  if (typeof table !== 'string' || !Object.hasOwn(tables, table))
    throw new TypeError('there is no such table');
  return table as TableName;
}

/** Throws a TypeError. */
export function checkText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected');
  return value;
}
