/** The end of a transaction: its changes, its number, and the certainty that it holds. */
import { setTimeout as pause } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { GatewayError } from '../../errors.ts';
import { randomId } from '../../platform/ids.ts';
import type { Layer } from '../layer.ts';
import type { Begun, WriterOptions } from './create-writer.ts';
import { ask, createClient, type Database } from './database.ts';
import { notWritten, refusalOf } from './faults.ts';
import { advanceState, beginAlone, forgetOldChanges, tellOthers, wasWritten } from './layout.ts';
import type { StoredChange } from './read-cache.ts';
import { writeLayer } from './write-layer.ts';

const stepTimeoutMs = 10_000;
const outcomePatienceMs = 15_000;
const retryMs = 200;
const forgetEvery = 256n;

/** Throws store-write-failed, which says so when nobody can tell. */
export async function commitLayer(
  options: WriterOptions,
  begun: Begun,
  layer: Layer,
  changes: readonly StoredChange[],
): Promise<void> {
  const startedAtMs = performance.now();
  const number = begun.number + 1n;
  let failed = true;
  try {
    const transaction = randomId(26);
    await flush(begun, layer, [transaction, options.gatewayName, JSON.stringify(changes)]);
    await commit(begun.client, options.database, number, transaction);
    failed = false;
  } catch (error) {
    options.log?.error({ err: error }, 'the store could not be written');
    throw notWritten(error);
  } finally {
    options.onWritten((performance.now() - startedAtMs) / 1000, failed);
  }
  await options.onCommitted(number, changes);
}

async function flush({ client, number: before, place }: Begun, layer: Layer, change: readonly string[]) {
  const last = await writeLayer(client, layer, place);
  const number = before + 1n;
  await ask(client, advanceState, [String(number), String(last), ...change], stepTimeoutMs);
  if (number % forgetEvery === 0n) {
    await ask(client, forgetOldChanges, [String(number)], stepTimeoutMs);
  }
  await ask(client, tellOthers, [String(number)], stepTimeoutMs);
}

async function commit(client: PoolClient, database: Database, number: bigint, transaction: string) {
  try {
    await ask(client, { name: '', text: 'COMMIT' }, [], stepTimeoutMs);
  } catch (error) {
    if (refusalOf(error) !== undefined) throw error;
    // The connection was lost with the answer: the database knows it.
    if (!(await findOutcome(database, number, transaction, error))) throw error;
  }
}

/** Waits for the lock, so that the transaction in question is at its end, whichever. */
async function findOutcome(database: Database, number: bigint, transaction: string, cause: unknown) {
  const deadlineMs = performance.now() + outcomePatienceMs;
  while (performance.now() < deadlineMs) {
    const client = createClient(database);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query({ text: beginAlone, query_timeout: stepTimeoutMs } as { text: string });
      return (await ask(client, wasWritten, [String(number), transaction], stepTimeoutMs)).length > 0;
    } catch {
      await pause(retryMs);
    } finally {
      client.end().catch(() => {});
    }
  }
  const reason = 'the database was lost while it was written';
  throw new GatewayError('store-write-failed', { reason, mayBeMade: true }, { cause });
}
