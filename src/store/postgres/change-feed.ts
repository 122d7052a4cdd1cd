/**
 * What changed in the database, by whichever gateway: asked for every half second by the number of the last change known, and at
 * once when a NOTIFY says that there is a newer one. Numbers are given under the lock of all writers, so none becomes
 * visible before a smaller one.
 */
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { tableNames } from '../rows.ts';
import { ask, createClient, type Database, type Rows } from './database.ts';
import { listenForOthers, selectChanges } from './layout.ts';
import type { StoredChange } from './read-cache.ts';

export interface ChangeFeedOptions {
  readonly database: Database;
  /** Called for each transaction's changes, in their order. */
  readonly onChanges: (changes: readonly StoredChange[]) => void;
  readonly log: Logger | undefined;
}

export interface ChangeFeed {
  /** Milliseconds since the moment up to which all changes are known. */
  ageMs(): number;
  /** Why the database does not answer, as far as is known. */
  failure(): unknown;
  /** For a transaction of this store, committed under `number`: resolves when its changes have been told, once. */
  tellOwn(number: bigint, changes: readonly StoredChange[]): Promise<void>;
  close(): Promise<void>;
}

const pollMs = 500;
const reconnectMs = 250;
const pollTimeoutMs = 2_000;
/** A poll that takes longer says that something is wrong, before it has failed. */
const suspectMs = 1_000;
const ownPatienceMs = 2_000;

/** Resolves once all changes so far are known; rejects with what the driver throws. */
export async function openChangeFeed({ database, onChanges, log }: ChangeFeedOptions): Promise<ChangeFeed> {
  let client: Client | undefined;
  let applied = -1n;
  let validAtMs = performance.now();
  let pollingSinceMs: number | undefined;
  let failure: unknown;
  let closed = false;
  let again = false;
  let wake = () => {};
  const waiting = new Set<() => void>();

  function nudge(): void {
    again = true;
    // One that is away is asked at its own pace.
    if (failure === undefined) wake();
  }

  async function connect(): Promise<Client> {
    const fresh = createClient(database);
    // What is under way fails with it, too; an idle one is found out by the next poll.
    fresh.on('error', nudge);
    fresh.on('notification', ({ payload }) => {
      if (!/^\d{1,18}$/.test(payload ?? '') || BigInt(payload ?? 0) > applied) nudge();
    });
    try {
      await fresh.connect();
      await ask(fresh, { name: '', text: listenForOthers }, [], pollTimeoutMs);
    } catch (error) {
      fresh.end().catch(() => {});
      throw error;
    }
    return fresh;
  }

  async function poll(): Promise<void> {
    const startedAtMs = performance.now();
    pollingSinceMs = startedAtMs;
    try {
      client ??= await connect();
      const before = applied;
      const rows = await ask(client, selectChanges, [String(before)], pollTimeoutMs);
      if (apply(rows, before)) validAtMs = startedAtMs;
      else again = true;
      if (failure !== undefined) log?.info('the database answers again');
      failure = undefined;
    } catch (error) {
      if (failure === undefined && !closed) log?.error({ err: error }, 'the database does not answer');
      failure = error;
      // Not awaited: it may not answer that either.
      client?.end().catch(() => {});
      client = undefined;
    } finally {
      pollingSinceMs = undefined;
    }
  }

  /** What came behind `before`; meanwhile this store may have told changes of its own. Whether these were all. */
  function apply(rows: Rows, before: bigint): boolean {
    const newest = BigInt(rows[0]?.newest ?? 0);
    const news = rows.flatMap(({ number, changes }) =>
      number == null || BigInt(number) <= applied
        ? []
        : [{ number: BigInt(number), changes: JSON.parse(changes ?? '[]') as StoredChange[] }],
    );
    const isFirst = applied < 0n;
    const isWhole = news.length === 0 ? newest <= applied : news[0]?.number === applied + 1n;
    // Changes of long ago are forgotten, and an old dump may have been restored: then anything may have changed.
    if (isFirst || !isWhole || newest < before) {
      applied = newest;
      if (!isFirst) onChanges(tableNames.map((table) => ({ table })));
    } else {
      for (const { number, changes } of news) {
        applied = number;
        onChanges(changes);
      }
    }
    for (const look of waiting) look();
    return applied >= newest;
  }

  async function run(): Promise<void> {
    while (!closed) {
      if (!again || failure !== undefined) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, failure === undefined ? pollMs : reconnectMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      again = false;
      if (!closed) await poll();
    }
  }

  await poll();
  if (failure !== undefined) throw failure;
  const running = run();

  return {
    ageMs: () => performance.now() - validAtMs,
    failure() {
      const isSlow = pollingSinceMs !== undefined && performance.now() - pollingSinceMs > suspectMs;
      return failure ?? (isSlow ? new Error('Query read timeout') : undefined);
    },
    async tellOwn(number, changes) {
      if (applied < number - 1n) {
        nudge();
        await seen(() => applied >= number, waiting);
      }
      if (applied >= number) return;
      // Behind others' changes that the feed does not get: told now, and again with those.
      if (applied === number - 1n) applied = number;
      onChanges(changes);
    },
    async close() {
      closed = true;
      wake();
      await running;
      await client?.end().catch(() => {});
    },
  };
}

/** Resolves when `isSo` at one of the moments when `waiting` is called, or after a while. */
function seen(isSo: () => boolean, waiting: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      waiting.delete(look);
      resolve();
    };
    const look = () => {
      if (isSo()) done();
    };
    const timer = setTimeout(done, ownPatienceMs);
    waiting.add(look);
    look();
  });
}
