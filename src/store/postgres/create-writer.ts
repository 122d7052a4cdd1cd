/**
 * Transactions, one at a time: of this gateway in the order in which they were begun, and of all gateways under one row lock in
 * the database. The work of one is done once; only what comes before it and behind it is tried again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import type { Logger } from 'pino';
import { GatewayError } from '../../errors.ts';
import type { Transaction } from '../store.ts';
import { commitLayer } from './commit-layer.ts';
import { ask, type Database } from './database.ts';
import { notWritten, refusalOf } from './faults.ts';
import { beginAlone, type Statement } from './layout.ts';
import { migrations } from './migrations.ts';
import { openDraft } from './open-draft.ts';
import type { StoredChange } from './read-cache.ts';
import { answerOf } from './read-rows.ts';
import { changesOf } from './write-layer.ts';

export interface WriterOptions {
  readonly database: Database;
  /** Of one connection. */
  readonly pool: Pool;
  readonly gatewayName: string;
  /** Whether it is known that the database does not answer: then nobody waits for it. */
  readonly isAway: () => boolean;
  readonly onCommitted: (number: bigint, changes: readonly StoredChange[]) => Promise<void>;
  readonly onWritten: (seconds: number, failed: boolean) => void;
  readonly log: Logger | undefined;
}

export interface Writer {
  run<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Resolves when all that was begun is settled. */
  drain(): Promise<void>;
}

/** The lock is held, and the number and place that came last are known. */
export interface Begun {
  readonly client: PoolClient;
  readonly number: bigint;
  readonly place: bigint;
}

interface State {
  readonly layout: number;
  readonly number: string;
  readonly place: string;
  readonly filling: string | null;
}

const patienceMs = 5_000;
const stepTimeoutMs = 10_000;
/** Longer than the database itself waits for the lock. */
const beginTimeoutMs = 12_000;
const retryMs = 100;
const lookMs = 250;

export function createWriter(options: WriterOptions): Writer {
  let tail: Promise<unknown> = Promise.resolve();

  async function execute<Result>(work: (transaction: Transaction) => Promise<Result>, deadlineMs: number) {
    const begun = await begin(options, deadlineMs);
    try {
      return await runAlone(options, begun, work);
    } finally {
      begun.client.release(!(await isUsable(begun.client)));
    }
  }

  return {
    run(work) {
      const deadlineMs = performance.now() + patienceMs;
      const done = tail.then(() => execute(work, deadlineMs));
      tail = done.catch(() => {});
      return done;
    },
    async drain() {
      await tail;
    },
  };
}

/** Ends what may be left of a transaction. */
const isUsable = (client: PoolClient) =>
  client.query({ text: 'ROLLBACK', query_timeout: stepTimeoutMs } as { text: string }).then(
    () => true,
    () => false,
  );

async function runAlone<Result>(
  options: WriterOptions,
  begun: Begun,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const { client } = begun;
  let lost: unknown;
  const draft = openDraft(async (question) => {
    try {
      const timed = (statement: Statement, values: readonly unknown[]) =>
        ask(client, statement, values, stepTimeoutMs);
      return await answerOf(question, timed, options.database.label);
    } catch (error) {
      lost = error;
      throw notWritten(error);
    }
  });
  const result = await whileConnected(client, work(draft.transaction)).finally(draft.end);
  // It may have gone on without an answer.
  if (lost !== undefined) throw notWritten(lost);
  const changes = changesOf(draft.layer);
  if (changes.length > 0) await commitLayer(options, begun, draft.layer, changes);
  return result;
}

/** Rejects when the connection is lost: the database ends it when the work says nothing for too long. */
async function whileConnected<Result>(client: PoolClient, work: Promise<Result>): Promise<Result> {
  let onError = (_: Error) => {};
  const lost = new Promise<never>((_, reject) => {
    onError = (error) => reject(notWritten(error));
  });
  client.once('error', onError);
  try {
    return await Promise.race([work, lost]);
  } finally {
    client.off('error', onError);
  }
}

async function begin(options: WriterOptions, deadlineMs: number): Promise<Begun> {
  for (;;) {
    try {
      return await tryToBegin(options);
    } catch (error) {
      const isFinal = error instanceof GatewayError || refusalOf(error) !== undefined;
      if (isFinal || options.isAway() || performance.now() > deadlineMs) throw notWritten(error);
      await pause(retryMs);
    }
  }
}

/** Given up where the database turns out to be away: nothing has been done yet. */
async function tryToBegin({ pool, isAway }: WriterOptions): Promise<Begun> {
  const beginning = beginOn(pool);
  let look: NodeJS.Timeout | undefined;
  const away = new Promise<never>((_, reject) => {
    look = setInterval(() => isAway() && reject(new Error('timeout')), lookMs);
  });
  try {
    return await Promise.race([beginning, away]);
  } catch (error) {
    beginning.then(({ client }) => client.release(true)).catch(() => {});
    throw error;
  } finally {
    clearInterval(look);
  }
}

async function beginOn(pool: Pool): Promise<Begun> {
  const client = await pool.connect();
  try {
    const request = { text: beginAlone, query_timeout: beginTimeoutMs };
    const results = (await client.query(request)) as unknown as QueryResult[];
    const state = results[1]?.rows[0] as State | undefined;
    if (state?.layout !== migrations.length) {
      const reason = 'another version of Postern has changed the database; run that version here, too';
      throw new GatewayError('store-write-failed', { reason });
    }
    if (state.filling !== null)
      throw new GatewayError('store-write-failed', { reason: 'it is being filled' });
    return { client, number: BigInt(state.number), place: BigInt(state.place) };
  } catch (error) {
    client.release(true);
    throw error;
  }
}
