/**
 * A transaction's changes, collected in a layer above what the database holds. What the layer needs of it is fetched first, and
 * fetched once: nobody else writes meanwhile.
 */
import { Layer, type View } from '../layer.ts';
import type { Row } from '../rows.ts';
import { type TableName, tables } from '../schema.ts';
import type { Transaction } from '../store.ts';
import { type Answer, nameOf, type Question } from './read-cache.ts';

export interface Draft {
  readonly transaction: Transaction;
  readonly layer: Layer;
  /** From then on the transaction can be used no more. */
  end(): void;
}

export function openDraft(fetch: (question: Question) => Promise<Answer>): Draft {
  const fetched = new Map<string, Answer>();
  const layer = new Layer(viewOf(fetched));
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();

  async function need(question: Question): Promise<void> {
    const name = nameOf(question);
    if (!fetched.has(name)) fetched.set(name, await fetch(question));
  }

  /** One after the other, though the work may not wait: each looks at what the one before has done. */
  function step<Result>(
    questions: readonly Question[] | (() => readonly Question[]),
    work: () => Result,
  ): Promise<Result> {
    if (ended) return Promise.reject(new Error('this transaction has ended'));
    const done = last.then(async () => {
      for (const question of typeof questions === 'function' ? questions() : questions) await need(question);
      return work();
    });
    last = done.catch(() => {});
    return done;
  }

  const transaction: Transaction = {
    get: (table, id) => step([{ kind: 'get', table, id }], () => layer.get(table, id) as never),
    find: (table, field, value) =>
      step([{ kind: 'find', table, field, value }], () => layer.find(table, field, value) as never),
    list: (table, field, value) =>
      step([{ kind: 'list', table, field, value }], () => layer.list(table, field, value) as never),
    isEmpty: (table) =>
      step(
        // The row that it would be may be gone.
        () => [layer.touches(table) ? everyRow(table) : { kind: 'any', table }],
        () => layer.isEmpty(table),
      ),
    put: (table, row) => step(questionsOfPut(table, row), () => layer.put(table, row)),
    remove: (table, id) => step([{ kind: 'get', table, id }], () => layer.remove(table, id)),
  };
  return {
    transaction,
    layer,
    end: () => {
      ended = true;
    },
  };
}

const everyRow = (table: TableName): Question => ({
  kind: 'list',
  table,
  field: undefined,
  value: undefined,
});

/** Whether its values are taken, and what it replaces. */
const questionsOfPut = (table: TableName, row: object): Question[] => [
  { kind: 'get', table, id: String((row as Row).id) },
  ...tables[table].unique.map((field) => ({
    kind: 'find' as const,
    table,
    field,
    value: String((row as Row)[field]),
  })),
];

/** What was fetched; a layer asks for nothing else. */
function viewOf(fetched: ReadonlyMap<string, Answer>): View {
  const known = (question: Question): Answer => fetched.get(nameOf(question));
  return {
    get: (table, id) => known({ kind: 'get', table, id }) as Row | undefined,
    find: (table, field, value) => known({ kind: 'find', table, field, value }) as Row | undefined,
    list: (table, field, value) => (known({ kind: 'list', table, field, value }) ?? []) as readonly Row[],
    isEmpty: (table) => known({ kind: 'any', table }) === undefined,
  };
}
