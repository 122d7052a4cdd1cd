/** A gateway's place among those on its database: one connection, by which it says every second that it lives, renewed where it breaks. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { GatewayError } from '../../../errors.ts';
import { randomId } from '../../../platform/ids.ts';
import { ask, createClient, type Database, type Rows } from '../database.ts';
import { reasonOf, refusalOf } from '../faults.ts';
import type { Statement } from '../layout.ts';
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
  const reachListeners: (() => void)[] = [];
  const newsListeners: ((channel?: string, number?: string) => void)[] = [];
  let client: Client | undefined;
  let failure: unknown = new Error('timeout');
  let validAtMs = Number.NEGATIVE_INFINITY;
  let hasEntered = false;
  let beats = 0;
  let closed = false;
  let wake = () => {};
  let running: Promise<void> | undefined;

  /** The driver has one query at a time for a connection. */
  let tail: Promise<unknown> = Promise.resolve();
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = tail.then(work);
    tail = done.catch(() => {});
    return done;
  }

  const tellNews = (channel?: string, number?: string) => {
    for (const listener of newsListeners) listener(channel, number);
  };

  async function connect(): Promise<Client> {
    const fresh = createClient(database);
    fresh.on('error', (error) => lose(fresh, error));
    fresh.on('notification', ({ channel, payload }) => tellNews(channel, payload));
    await fresh.connect();
    const text = `SET default_transaction_isolation = 'read committed'; ${listen}`;
    await ask(fresh, { name: '', text }, [], queryTimeoutMs);
    return fresh;
  }

  function lose(used: Client | undefined, error: unknown): void {
    if (used !== undefined && used !== client) return;
    if (hasEntered && failure === undefined && !closed) {
      log?.error({ err: error }, 'the other gateways cannot be reached by the database');
    }
    failure = error;
    client?.end().catch(() => {});
    client = undefined;
    // Nothing may pass over it any more, so that its end would never come.
    database.destroySockets();
  }

  /** False: it was told before that it is. */
  async function enterAnew(used: Client): Promise<boolean> {
    const [row] = await ask(used, beat, [name, incarnation], queryTimeoutMs);
    if (row) return false;
    const [answer] = await ask(used, enter, [name, identity, incarnation, !hasEntered], queryTimeoutMs);
    if (answer?.entered !== 'true') throw new GatewayError('gateway-name-taken', { name });
    return true;
  }

  async function sayThatItLives(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const isNew = client === undefined;
      client ??= await connect();
      const isReached = (await enterAnew(client)) || isNew;
      if (beats++ % forgetEvery === 0) await ask(client, { name: '', text: forget }, [], queryTimeoutMs);
      if (hasEntered && failure !== undefined) log?.info('the other gateways are reached again');
      [validAtMs, failure, hasEntered] = [startedAtMs, undefined, true];
      if (isReached) for (const listener of reachListeners) listener();
      tellNews();
    } catch (error) {
      lose(undefined, error);
    }
  }

  async function run(): Promise<void> {
    while (!closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, failure === undefined ? beatMs : retryMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (!closed) await inTurn(sayThatItLives);
    }
  }

  return {
    incarnation,
    async query(statement, values) {
      // Behind it, an attempt to reach it again may be under way.
      if (failure !== undefined) throw unavailable(failure);
      return inTurn(async () => {
        const used = client;
        if (!used || failure !== undefined) throw unavailable(failure);
        try {
          return await ask(used, statement, values, queryTimeoutMs);
        } catch (error) {
          if (refusalOf(error) === undefined) lose(used, error);
          else
            log?.error({ err: error, statement: statement.name }, 'the database refuses what gateways share');
          throw unavailable(error);
        }
      });
    },
    ageMs: () => performance.now() - validAtMs,
    onReach: (listener) => void reachListeners.push(listener),
    onNews: (listener) => void newsListeners.push(listener),
    async open() {
      await sayThatItLives();
      if (failure !== undefined) throw failure;
      running = run();
    },
    async close() {
      closed = true;
      wake();
      const bye = async () => {
        if (client && failure === undefined) await ask(client, leave, [name, incarnation], goodbyeMs);
      };
      await Promise.race([inTurn(bye).catch(() => {}), pause(goodbyeMs, undefined, { ref: false })]);
      failure ??= new Error('timeout');
      database.destroySockets();
      await running;
    },
  };
}

const unavailable = (cause: unknown): GatewayError => {
  const reason = cause instanceof GatewayError ? cause.message : reasonOf(cause);
  return new GatewayError('store-unavailable', { reason }, { cause });
};
