/** Reading: from what is kept while it is fresh, else from the database; and from what is kept, for a while, when that is away. */
import type { Pool, PoolClient } from 'pg';
import { GatewayError } from '../../errors.ts';
import type { Reader } from '../store.ts';
import type { ChangeFeed } from './change-feed.ts';
import { ask, type Database, type Rows } from './database.ts';
import { reasonOf, refusalOf } from './faults.ts';
import { type FoundKey, findKey, isSearchForKey } from './find-key.ts';
import type { Statement } from './layout.ts';
import type { Answer, Question, ReadCache } from './read-cache.ts';
import { nameOf } from './read-cache.ts';
import { type Ask, answerOf } from './read-rows.ts';

export interface ReaderOptions {
  readonly database: Database;
  readonly pool: Pool;
  readonly feed: Pick<ChangeFeed, 'ageMs' | 'failure'>;
  readonly cache: ReadCache;
  readonly cacheSeconds: () => number;
}

/** With half a second between two looks for changes: so a change holds everywhere within a second. */
const freshMs = 800;
/** Where an older answer can take its place. */
const shortTimeoutMs = 1_500;
const timeoutMs = 5_000;
const listTimeoutMs = 30_000;
/** After one change; more of them are asked again when somebody needs them. */
const maxRenewed = 32;

export interface RenewingReader extends Reader {
  /** Asks anew, so that answers are there when the database is not. */
  renew(questions: readonly Question[]): void;
}

export function createReader({ database, pool, feed, cache, cacheSeconds }: ReaderOptions): RenewingReader {
  const asked = new Map<string, { readonly answer: Promise<Answer>; readonly moment: number }>();

  async function read(question: Question): Promise<Answer> {
    const known = cache.find(question);
    if (known && feed.ageMs() < freshMs && isKeptForAll(question, known.answer)) return known.answer;
    const failure = feed.failure();
    if (failure !== undefined) {
      if (!mayStillServe()) throw unavailable(failure);
      if (known) return known.answer;
    }
    try {
      return await fetch(question, known !== undefined);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      // Looked up again: it may have become wrong meanwhile.
      const last = refusalOf(error) === undefined ? cache.find(question) : undefined;
      if (last && mayStillServe()) return last.answer;
      throw unavailable(error);
    }
  }

  const mayStillServe = () => feed.ageMs() < cacheSeconds() * 1000;

  /** Whoever asks the same at the same time shares the answer, unless something changed since the question was put. */
  function fetch(question: Question, hasOlder: boolean, renewed?: 'renewed'): Promise<Answer> {
    const name = nameOf(question);
    const moment = cache.moment();
    const running = asked.get(name);
    if (running?.moment === moment) return running.answer;
    const isUrgent = hasOlder || feed.failure() !== undefined;
    const limitMs = isUrgent ? shortTimeoutMs : question.kind === 'list' ? listTimeoutMs : timeoutMs;
    const timed = (statement: Statement, values: readonly unknown[]) =>
      poolAsk(pool, statement, values, limitMs);
    const answer = answered(question, timed)
      .then(({ answer: found, others }) => {
        cache.keep(question, found, moment, renewed);
        for (const [next, known] of others) cache.keep(next, known, moment, renewed);
        return found;
      })
      .finally(() => {
        if (asked.get(name)?.answer === answer) asked.delete(name);
      });
    asked.set(name, { answer, moment });
    return answer;
  }

  const answered = async (question: Question, timed: Ask): Promise<FoundKey> =>
    isSearchForKey(question)
      ? findKey(question.value, timed, database.label)
      : { answer: await answerOf(question, timed, database.label), others: [] };

  return {
    renew(questions) {
      for (const question of questions.slice(0, maxRenewed)) {
        // Whoever needs it asks again, and is told.
        fetch(question, true, 'renewed').catch(() => {});
      }
    },
    get: async (table, id) => (await read({ kind: 'get', table, id })) as never,
    find: async (table, field, value) => (await read({ kind: 'find', table, field, value })) as never,
    list: async (table, field, value) => (await read({ kind: 'list', table, field, value })) as never,
    isEmpty: async (table) => (await read({ kind: 'any', table })) === undefined,
  };
}

const unavailable = (cause: unknown) =>
  new GatewayError('store-unavailable', { reason: reasonOf(cause) }, { cause });

/** Who looks for something new, a key just added elsewhere by its name, is not told that it is not there from memory. */
const isKeptForAll = (question: Question, answer: Answer) => question.kind === 'get' || answer !== undefined;

async function poolAsk(
  pool: Pool,
  statement: Statement,
  values: readonly unknown[],
  limitMs: number,
): Promise<Rows> {
  const startedAtMs = performance.now();
  const client = await connectWithin(pool, limitMs);
  let failed = true;
  try {
    const rows = await ask(
      client,
      statement,
      values,
      Math.max(1, limitMs - (performance.now() - startedAtMs)),
    );
    failed = false;
    return rows;
  } finally {
    client.release(failed);
  }
}

/** A place in the pool, and a connection, may take longer to come than anybody waits. */
async function connectWithin(pool: Pool, limitMs: number): Promise<PoolClient> {
  const connecting = pool.connect();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), limitMs);
  });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    connecting.then((client) => client.release()).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
