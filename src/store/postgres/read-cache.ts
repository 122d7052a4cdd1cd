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
    }
  /** Any row of it; for whether there is one. */
  | { readonly kind: 'any'; readonly table: string; readonly field?: undefined; readonly value?: undefined };

interface Identified {
  readonly id: string;
}

export type Answer = Identified | undefined | readonly Identified[];

/** A change with all that was and is searched for of its row, so that no other answers are lost by it. */
export interface StoredChange extends Change {
  readonly values?: readonly (readonly [field: string, value: string])[];
}

export interface ReadCache {
  /** Undefined: not known. */
  find(question: Question): { readonly answer: Answer } | undefined;
  /** For `keep`: the moment before the question is put. */
  moment(): number;
  /** Nothing is kept where a change came since `moment`. `renewed`: nobody has asked for it yet. */
  keep(question: Question, answer: Answer, moment: number, renewed?: 'renewed'): void;
  /** Forgets what these changes may have made wrong, and returns those questions of it that were asked since they were answered. */
  drop(changes: readonly StoredChange[]): readonly Question[];
}

interface Entry {
  readonly question: Question;
  readonly answer: Answer;
  readonly group: string;
  wasAsked: boolean;
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

const groupName = (...words: readonly string[]) =>
  words.map((word) => `${word.length}:${word}`).join(separator);
const rowGroup = (table: string, id: string) => groupName('row', table, id);
const valueGroup = (table: string, field: string, value: string) => groupName('value', table, field, value);
const wholeGroup = (table: string) => groupName('all', table);

/** What kind of change makes the answer wrong. */
function groupOf(question: Question, answer: Answer): string {
  const { table } = question;
  if (question.kind === 'get') return rowGroup(table, question.id);
  if (question.kind !== 'list' && answer !== undefined) return rowGroup(table, (answer as Identified).id);
  const { field, value } = question;
  return field === undefined ? wholeGroup(table) : valueGroup(table, field, value ?? '');
}

const weightOf = (answer: Answer) => (Array.isArray(answer) ? 1 + answer.length : 1);

/** `maxRows`: of all answers together; a list of more than a sixteenth of that is not kept. */
export function createReadCache(maxRows = 65_536): ReadCache {
  const entries = createEntries();
  let changedAt = 0;

  function take(names: Iterable<string>): Question[] {
    return [...names].flatMap((name) => {
      const entry = entries.forget(name);
      return entry?.wasAsked ? [entry.question] : [];
    });
  }

  function takeAllOf({ table, id, values }: StoredChange): Question[] {
    // Made by nobody of ours: what it changed of the row is not known.
    if (id === undefined || values === undefined) {
      take(entries.ofTable(table));
      return [];
    }
    const concerned = [
      rowGroup(table, id),
      ...values.map(([field, value]) => valueGroup(table, field, value)),
      wholeGroup(table),
    ];
    return concerned.flatMap((group) => take(entries.ofGroup(group)));
  }

  return {
    find(question) {
      const entry = entries.use(nameOf(question));
      if (entry) entry.wasAsked = true;
      return entry;
    },
    moment: () => changedAt,
    keep(question, answer, moment, renewed) {
      if (moment !== changedAt || weightOf(answer) > maxRows / 16) return;
      const name = nameOf(question);
      const wasAsked = entries.forget(name)?.wasAsked || renewed === undefined;
      entries.add(name, { question, answer, group: groupOf(question, answer), wasAsked });
      entries.forgetOldest(maxRows);
    },
    drop(changes) {
      changedAt += 1;
      return changes.flatMap(takeAllOf);
    },
  };
}

/** Answers by name, those that were used longest ago first, and by what kind of change makes them wrong. */
function createEntries() {
  const entries = new Map<string, Entry>();
  const groups = new Map<string, Set<string>>();
  let rows = 0;

  function forget(name: string): Entry | undefined {
    const entry = entries.get(name);
    if (!entry) return undefined;
    entries.delete(name);
    rows -= weightOf(entry.answer);
    const group = groups.get(entry.group);
    group?.delete(name);
    if (group?.size === 0) groups.delete(entry.group);
    return entry;
  }

  return {
    forget,
    use(name: string): Entry | undefined {
      const entry = entries.get(name);
      if (!entry) return undefined;
      entries.delete(name);
      entries.set(name, entry);
      return entry;
    },
    add(name: string, entry: Entry): void {
      entries.set(name, entry);
      groups.set(entry.group, (groups.get(entry.group) ?? new Set()).add(name));
      rows += weightOf(entry.answer);
    },
    forgetOldest(maxRows: number): void {
      for (const oldest of entries.keys()) {
        if (rows <= maxRows) break;
        forget(oldest);
      }
    },
    ofGroup: (group: string): Iterable<string> => groups.get(group) ?? [],
    ofTable: (table: string): Iterable<string> =>
      [...entries].flatMap(([name, { question }]) => (question.table === table ? [name] : [])),
  };
}
