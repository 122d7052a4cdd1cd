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
import { createPauses } from './pauses.ts';
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
  const told = createTold(onChanges);
  const pauses = createPauses();
  let closed = false;
  let again = false;

  function nudge(): void {
    again = true;
    // One that is away is asked at its own pace.
    if (polls.failure() === undefined) pauses.cutShort();
  }
  const polls = createPolls(database, told, nudge);

  async function poll(): Promise<void> {
    const failedBefore = polls.failure() !== undefined;
    const isAll = await polls.poll();
    if (!isAll) again = true;
    const failure = polls.failure();
    if (failedBefore && failure === undefined) log?.info('the database answers again');
    if (!failedBefore && failure !== undefined && !closed)
      log?.error({ err: failure }, 'the database does not answer');
  }

  async function run(): Promise<void> {
    while (!closed) {
      const isAway = polls.failure() !== undefined;
      if (!again || isAway) await pauses.take(isAway ? reconnectMs : pollMs);
      again = false;
      if (!closed) await poll();
    }
  }

  await poll();
  if (polls.failure() !== undefined) throw polls.failure();
  const running = run();

  return {
    ageMs: polls.ageMs,
    failure: () => polls.failure() ?? (polls.isSlow() ? new Error('Query read timeout') : undefined),
    async tellOwn(number, changes) {
      if (told.upTo() < number - 1n) {
        nudge();
        await told.seen(number);
      }
      told.tellOwn(number, changes);
    },
    async close() {
      closed = true;
      pauses.cutShort();
      await running;
      await polls.end();
    },
  };
}

type Told = ReturnType<typeof createTold>;

/** Which changes have been told, in their order. */
function createTold(onChanges: ChangeFeedOptions['onChanges']) {
  let applied = -1n;
  const waiting = new Set<() => void>();
  return {
    upTo: () => applied,
    /** Resolves when `number` has been told, or after a while. */
    seen: (number: bigint) => seen(() => applied >= number, waiting),
    tellOwn(number: bigint, changes: readonly StoredChange[]): void {
      if (applied >= number) return;
      // Behind others' changes that the feed does not get: told now, and again with those.
      if (applied === number - 1n) applied = number;
      onChanges(changes);
    },
    /** What came behind `before`; meanwhile this store may have told changes of its own. Whether these were all. */
    tell(rows: Rows, before: bigint): boolean {
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
    },
  };
}

/** Asks the database, by a connection that is made anew where it breaks. */
function createPolls(database: Database, told: Told, nudge: () => void) {
  let client: Client | undefined;
  let validAtMs = performance.now();
  let pollingSinceMs: number | undefined;
  let failure: unknown;
  return {
    ageMs: () => performance.now() - validAtMs,
    /** Of the last one. */
    failure: () => failure,
    isSlow: () => pollingSinceMs !== undefined && performance.now() - pollingSinceMs > suspectMs,
    /** False: there is more. */
    async poll(): Promise<boolean> {
      const startedAtMs = performance.now();
      pollingSinceMs = startedAtMs;
      try {
        client ??= await connect(database, nudge, told.upTo);
        const before = told.upTo();
        const rows = await ask(client, selectChanges, [String(before)], pollTimeoutMs);
        const isAll = told.tell(rows, before);
        if (isAll) validAtMs = startedAtMs;
        failure = undefined;
        return isAll;
      } catch (error) {
        failure = error;
        // Not awaited: it may not answer that either.
        client?.end().catch(() => {});
        client = undefined;
        return true;
      } finally {
        pollingSinceMs = undefined;
      }
    },
    end: async () => client?.end().catch(() => {}),
  };
}

/** `nudge` is called when there may be something newer than `upTo`. */
async function connect(database: Database, nudge: () => void, upTo: () => bigint): Promise<Client> {
  const client = createClient(database);
  // What is under way fails with it, too; an idle one is found out by the next poll.
  client.on('error', nudge);
  client.on('notification', ({ payload }) => {
    if (!/^\d{1,18}$/.test(payload ?? '') || BigInt(payload ?? 0) > upTo()) nudge();
  });
  try {
    await client.connect();
    await ask(client, { name: '', text: listenForOthers }, [], pollTimeoutMs);
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
  return client;
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
