/** A gateway's place among those on its database: one connection, by which it says every second that it lives, renewed where it breaks. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { GatewayError } from '../../../errors.ts';
import { randomId } from '../../../platform/ids.ts';
import { ask, type Database, type Rows } from '../database.ts';
import { reasonOf, refusalOf } from '../faults.ts';
import type { Statement } from '../layout.ts';
import { createRenewedConnection, type RenewedConnection } from './renewed-connection.ts';
import { beat, enter, forget, leave, listen } from './statements.ts';

export interface LinkOptions {
  /** Of its own, whose connections are this one's. */
  readonly database: Database;
  readonly name: string;
  /** Of the data folder, which one process has at a time: the same after a restart. */
  readonly identity: string;
  readonly log: Logger | undefined;
}

export interface Link {
  /** Changes with each process. */
  readonly incarnation: string;
  /** Throws store-unavailable, at once where that is known. */
  query(statement: Statement, values: readonly unknown[]): Promise<Rows>;
  ageMs(): number;
  onReach(listener: () => void): void;
  /** Told every second, and at each NOTIFY with its channel and number. */
  onNews(listener: (channel?: string, number?: string) => void): void;
  /** Resolves when it is one of them. Throws what the first attempt throws. */
  open(): Promise<void>;
  close(): Promise<void>;
}

const beatMs = 1_000;
const retryMs = 250;
const queryTimeoutMs = 1_500;
const goodbyeMs = 1_000;
const forgetEvery = 30;

export function createLink({ database, name, identity, log }: LinkOptions): Link {
  const incarnation = randomId(26);
  const reach = createListeners<[]>();
  const news = createListeners<[channel?: string, number?: string]>();
  const standing = createStanding(log);
  const connection = createRenewedConnection({
    database,
    onConnect: (client) => ask(client, listenAlone, [], queryTimeoutMs),
    onNotification: news.tell,
    onLost: standing.lost,
  });
  let beats = 0;

  async function sayThatItLives(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const { client, isNew } = await connection.open();
      const isEntered = await enterAnew(client, [name, identity, incarnation], !standing.hasBeen());
      if (beats++ % forgetEvery === 0) await ask(client, { name: '', text: forget }, [], queryTimeoutMs);
      standing.reached(startedAtMs);
      if (isNew || isEntered) reach.tell();
      news.tell();
    } catch (error) {
      connection.lose(error);
    }
  }
  const beating = repeat(
    () => connection.inTurn(sayThatItLives),
    () => (standing.failure() === undefined ? beatMs : retryMs),
  );
  const sayGoodbye = async () => {
    const client = connection.current();
    if (client && standing.failure() === undefined) await ask(client, leave, [name, incarnation], goodbyeMs);
  };

  return {
    incarnation,
    async query(statement, values) {
      // Behind it, an attempt to reach it again may be under way.
      if (standing.failure() !== undefined) throw unavailable(standing.failure());
      return connection.inTurn(() => queryOn({ connection, standing, log }, statement, values));
    },
    ageMs: standing.ageMs,
    onReach: reach.add,
    onNews: news.add,
    async open() {
      await sayThatItLives();
      if (standing.failure() !== undefined) throw standing.failure();
      beating.begin();
    },
    async close() {
      const ended = beating.end();
      const bye = connection.inTurn(sayGoodbye).catch(() => {});
      await Promise.race([bye, pause(goodbyeMs, undefined, { ref: false })]);
      standing.close();
      database.destroySockets();
      await ended;
    },
  };
}

const listenAlone: Statement = {
  name: '',
  text: `SET default_transaction_isolation = 'read committed'; ${listen}`,
};

interface Reached {
  readonly connection: RenewedConnection;
  readonly standing: ReturnType<typeof createStanding>;
  readonly log: Logger | undefined;
}

async function queryOn(
  { connection, standing, log }: Reached,
  statement: Statement,
  values: readonly unknown[],
): Promise<Rows> {
  const client = connection.current();
  if (!client || standing.failure() !== undefined) throw unavailable(standing.failure());
  try {
    return await ask(client, statement, values, queryTimeoutMs);
  } catch (error) {
    if (refusalOf(error) === undefined) connection.lose(error, client);
    else log?.error({ err: error, statement: statement.name }, 'the database refuses what gateways share');
    throw unavailable(error);
  }
}

/** False: it was told before that it is. Throws gateway-name-taken. */
async function enterAnew(
  client: Client,
  [name, identity, incarnation]: readonly [string, string, string],
  isFirst: boolean,
): Promise<boolean> {
  const [row] = await ask(client, beat, [name, incarnation], queryTimeoutMs);
  if (row) return false;
  const [answer] = await ask(client, enter, [name, identity, incarnation, isFirst], queryTimeoutMs);
  if (answer?.entered !== 'true') throw new GatewayError('gateway-name-taken', { name });
  return true;
}

/** Since when this gateway is one of them, and why it is not. */
function createStanding(log: Logger | undefined) {
  let failure: unknown = new Error('timeout');
  let validAtMs = Number.NEGATIVE_INFINITY;
  let hasBeen = false;
  let isClosed = false;
  return {
    failure: () => failure,
    hasBeen: () => hasBeen,
    ageMs: () => performance.now() - validAtMs,
    reached(startedAtMs: number): void {
      if (isClosed) return;
      if (hasBeen && failure !== undefined) log?.info('the other gateways are reached again');
      [validAtMs, failure, hasBeen] = [startedAtMs, undefined, true];
    },
    lost(error: unknown): void {
      if (hasBeen && failure === undefined) {
        log?.error({ err: error }, 'the other gateways cannot be reached by the database');
      }
      failure = error;
    },
    close(): void {
      isClosed = true;
      failure ??= new Error('timeout');
    },
  };
}

function createListeners<Told extends readonly unknown[]>() {
  const listeners: ((...told: Told) => void)[] = [];
  return {
    add: (listener: (...told: Told) => void) => void listeners.push(listener),
    tell(...told: Told): void {
      for (const listener of listeners) listener(...told);
    },
  };
}

/** `work` time and again, with pauses. */
function repeat(work: () => Promise<void>, pauseMs: () => number) {
  const over = new AbortController();
  const { signal } = over;
  let running: Promise<void> | undefined;
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await pause(pauseMs(), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await work();
    }
  }
  return {
    begin() {
      running = run();
    },
    async end() {
      over.abort();
      await running;
    },
  };
}

const unavailable = (cause: unknown): GatewayError => {
  const reason = cause instanceof GatewayError ? cause.message : reasonOf(cause);
  return new GatewayError('store-unavailable', { reason }, { cause });
};
