/**
 * Answers of a store that lies far away, kept until a change concerns them. It is bounded, and forgets what was not asked for
 * longest. Whoever fills it says when the question was put: an answer to a question from before a change is not kept after it.
 */
import type { Change } from '../store.ts';

/** What a Reader was asked. */
export type Question =
  | { readonly kind: 'get'; readonly table: string; readonly id: string }
  | { readonly kind: 'find'; readonly table: string; readonly field: string; readonly value: string }
  | {
      readonly kind: 'list';
      readonly table: string;
      readonly field: string | undefined;
      readonly value: string | undefined;
    };

interface Identified {
  readonly id: string;
}

export type Answer = Identified | undefined | readonly Identified[];

interface Entry {
  readonly answer: Answer;
  readonly group: string;
}

export interface ReadCache {
  /** Undefined: not known. */
  find(question: Question): { readonly answer: Answer } | undefined;
  /** For `keep`: the moment before the question is put. */
  moment(): number;
  /** Nothing is kept where a change came since `moment`. */
  keep(question: Question, answer: Answer, moment: number): void;
  /** Forgets what these changes may have made wrong. */
  drop(changes: readonly Change[]): void;
  clear(): void;
}

const separator = '\u0000';
const wordsOf = (question: Question): readonly (string | undefined)[] =>
  question.kind === 'get'
    ? ['get', question.table, question.id]
    : [question.kind, question.table, question.field, question.value];
/** Lengths, so that no two questions have one name, whatever stands in them. */
export const nameOf = (question: Question): string =>
  wordsOf(question)
    .map((word) => (word === undefined ? '-' : `${word.length}:${word}`))
    .join(separator);

const rowGroup = (table: string, id: string) => `row ${table} ${id}`;
/** Lists, and searches that found nothing: any change of the table may change them. */
const tableGroup = (table: string) => `table ${table}`;

function groupOf(question: Question, answer: Answer): string {
  if (question.kind === 'get') return rowGroup(question.table, question.id);
  if (question.kind === 'list' || answer === undefined) return tableGroup(question.table);
  return rowGroup(question.table, (answer as Identified).id);
}

const weightOf = (answer: Answer) => (Array.isArray(answer) ? 1 + answer.length : 1);

/** `maxRows`: of all answers together; a list of more than a sixteenth of that is not kept. */
export function createReadCache(maxRows = 65_536): ReadCache {
  const entries = new Map<string, Entry>();
  const groups = new Map<string, Set<string>>();
  let rows = 0;
  let changedAt = 0;

  function forget(name: string): void {
    const entry = entries.get(name);
    if (!entry) return;
    entries.delete(name);
    rows -= weightOf(entry.answer);
    const group = groups.get(entry.group);
    group?.delete(name);
    if (group?.size === 0) groups.delete(entry.group);
  }

  function forgetGroup(group: string): void {
    for (const name of groups.get(group) ?? []) forget(name);
  }

  return {
    find(question) {
      const name = nameOf(question);
      const entry = entries.get(name);
      if (!entry) return undefined;
      entries.delete(name);
      entries.set(name, entry);
      return entry;
    },
    moment: () => changedAt,
    keep(question, answer, moment) {
      const weight = weightOf(answer);
      if (moment !== changedAt || weight > maxRows / 16) return;
      const name = nameOf(question);
      forget(name);
      const group = groupOf(question, answer);
      entries.set(name, { answer, group });
      groups.set(group, (groups.get(group) ?? new Set()).add(name));
      rows += weight;
      for (const oldest of entries.keys()) {
        if (rows <= maxRows) break;
        forget(oldest);
      }
    },
    drop(changes) {
      if (changes.some(({ id }) => id === undefined)) this.clear();
      changedAt += 1;
      for (const { table, id } of changes) {
        if (id !== undefined) forgetGroup(rowGroup(table, id));
        forgetGroup(tableGroup(table));
      }
    },
    clear() {
      changedAt += 1;
      entries.clear();
      groups.clear();
      rows = 0;
    },
  };
}
