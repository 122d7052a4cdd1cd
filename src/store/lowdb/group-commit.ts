/**
 * Transactions one at a time in memory, many of them in one write. Above the durable rows lie at most two
 * layers: one being written, one collecting what comes meanwhile. A layer becomes visible when it is on
 * disk; when the disk fails both are dropped, and with them whatever was built on them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { GatewayError } from '../../errors.ts';
import { Layer, type View } from '../layer.ts';
import type { Change, Transaction } from '../store.ts';
import type { DurableRows } from './durable-rows.ts';
import { openTransaction } from './open-transaction.ts';

export interface GroupCommitOptions {
  readonly rows: DurableRows;
  /** Resolves when everything in the view is on disk. */
  readonly write: (view: View) => Promise<void>;
  readonly onDurable: (changes: readonly Change[]) => void;
  readonly log: Logger | undefined;
}

interface Commit {
  readonly changes: readonly Change[];
  readonly settle: (failure?: GatewayError) => void;
}

interface Batch {
  readonly layer: Layer;
  readonly commits: Commit[];
}

export interface GroupCommit {
  run<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Resolves when all that was begun is settled. */
  drain(): Promise<void>;
}

export function createGroupCommit({ rows, write, onDurable, log }: GroupCommitOptions): GroupCommit {
  const newBatch = (below: View): Batch => ({ layer: new Layer(below), commits: [] });
  let collecting = newBatch(rows);
  let flushing: Promise<void> | undefined;
  let lastFailure: GatewayError | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  async function execute<Result>(work: (transaction: Transaction) => Promise<Result>) {
    const failureBefore = lastFailure;
    const layer = new Layer(collecting.layer);
    const { transaction, end } = openTransaction(layer);
    const result = await work(transaction).finally(end);
    // It may have read what never reached the disk.
    if (lastFailure !== failureBefore) throw lastFailure;
    return { result, durable: commit(layer) };
  }

  function commit(layer: Layer): Promise<void> {
    const changes = [...layer.entries()].map(([table, id]): Change => ({ table, id }));
    if (changes.length === 0 && flushing === undefined) return Promise.resolve();
    collecting.layer.absorb(layer);
    return new Promise((resolve, reject) => {
      collecting.commits.push({
        changes,
        settle: (failure) => (failure ? reject(failure) : resolve()),
      });
      flushing ??= flushAll();
    });
  }

  async function flushAll(): Promise<void> {
    try {
      while (collecting.commits.length > 0) {
        // Lets everything that is ready to run join this write.
        await nextTurn();
        await flush(collecting);
      }
    } finally {
      // In the same turn as the last look at `commits`, so that none is left waiting.
      flushing = undefined;
    }
  }

  async function flush(batch: Batch): Promise<void> {
    collecting = newBatch(batch.layer);
    try {
      if (batch.commits.some(({ changes }) => changes.length > 0)) await write(batch.layer);
    } catch (cause) {
      fail([...batch.commits, ...collecting.commits], cause);
      return;
    }
    rows.apply(batch.layer);
    collecting.layer.below = rows;
    for (const { changes, settle } of batch.commits) {
      if (changes.length > 0) onDurable(changes);
      settle();
    }
  }

  function fail(commits: readonly Commit[], cause: unknown): void {
    const { code, message } = cause as NodeJS.ErrnoException;
    log?.error({ err: cause }, 'the store could not be written');
    const failure = new GatewayError('store-write-failed', { reason: code ?? message }, { cause });
    lastFailure = failure;
    collecting = newBatch(rows);
    for (const { settle } of commits) settle(failure);
  }

  return {
    async run(work) {
      const executed = tail.then(() => execute(work));
      tail = executed.catch(() => {});
      const { result, durable } = await executed;
      await durable;
      return result;
    },
    async drain() {
      await tail;
      await flushing;
    },
  };
}
