/** One connection to a database, made anew where it broke, by which one thing after the other is asked. */
import type { Client } from 'pg';
import { createClient, type Database } from '../database.ts';

export interface RenewedConnectionOptions {
  /** Whose connections are this one's alone. */
  readonly database: Database;
  /** Before anybody else uses it. */
  readonly onConnect: (client: Client) => Promise<unknown>;
  readonly onNotification: (channel: string, payload: string | undefined) => void;
  readonly onLost: (error: unknown) => void;
}

export interface RenewedConnection {
  readonly current: () => Client | undefined;
  /** Resolves to the current one, or to another, and throws what the driver throws. */
  open(): Promise<{ readonly client: Client; readonly isNew: boolean }>;
  /** Runs `work` when all before it is done: the driver has one query at a time for a connection. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Gives it up; nothing happens where `used` is not it any more. */
  lose(error: unknown, used?: Client): void;
}

export function createRenewedConnection(options: RenewedConnectionOptions): RenewedConnection {
  const { database, onConnect, onNotification, onLost } = options;
  let client: Client | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  function lose(error: unknown, used = client): void {
    if (used !== client) return;
    client?.end().catch(() => {});
    client = undefined;
    // Nothing may pass over it any more, so that its end would never come.
    database.destroySockets();
    onLost(error);
  }

  async function connect(): Promise<Client> {
    const fresh = createClient(database);
    fresh.on('error', (error) => lose(error, fresh));
    fresh.on('notification', ({ channel, payload }) => onNotification(channel, payload));
    await fresh.connect();
    await onConnect(fresh);
    return fresh;
  }

  return {
    current: () => client,
    async open() {
      if (client) return { client, isNew: false };
      client = await connect();
      return { client, isNew: true };
    },
    inTurn(work) {
      const done = tail.then(work);
      tail = done.catch(() => {});
      return done;
    },
    lose,
  };
}
