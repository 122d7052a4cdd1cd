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

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const batches = createBatches(options);
  let tail: Promise<unknown> = Promise.resolve();

  async function execute<Result>(work: (transaction: Transaction) => Promise<Result>) {
    const failureBefore = batches.lastFailure();
    const layer = new Layer(batches.collecting());
    const { transaction, end } = openTransaction(layer);
    const result = await work(transaction).finally(end);
    // It may have read what never reached the disk.
    const failure = batches.lastFailure();
    if (failure !== failureBefore) throw failure;
    return { result, durable: batches.commit(layer) };
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
      await batches.flushed();
    },
  };
}

const newBatch = (below: View): Batch => ({ layer: new Layer(below), commits: [] });

/** What is written together: one batch after the other, each while the next is collected. */
function createBatches({ rows, write, onDurable, log }: GroupCommitOptions) {
  let collecting = newBatch(rows);
  let flushing: Promise<void> | undefined;
  let lastFailure: GatewayError | undefined;

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

  async function flush({ layer, commits }: Batch): Promise<void> {
    collecting = newBatch(layer);
    try {
      if (commits.some(({ changes }) => changes.length > 0)) await write(layer);
    } catch (cause) {
      log?.error({ err: cause }, 'the store could not be written');
      lastFailure = failureOf(cause);
      const dropped = [...commits, ...collecting.commits];
      collecting = newBatch(rows);
      for (const { settle } of dropped) settle(lastFailure);
      return;
    }
    rows.apply(layer);
    collecting.layer.below = rows;
    for (const { changes, settle } of commits) {
      if (changes.length > 0) onDurable(changes);
      settle();
    }
  }

  return {
    collecting: () => collecting.layer,
    lastFailure: () => lastFailure,
    flushed: async () => flushing,
    /** Resolves when it is on disk; rejects when it, or what it was built on, cannot be. */
    commit(layer: Layer): Promise<void> {
      const changes = [...layer.entries()].map(([table, id]): Change => ({ table, id }));
      if (changes.length === 0 && flushing === undefined) return Promise.resolve();
      collecting.layer.absorb(layer);
      return new Promise((resolve, reject) => {
        const settle = (failure?: GatewayError) => (failure ? reject(failure) : resolve());
        collecting.commits.push({ changes, settle });
        flushing ??= flushAll();
      });
    },
  };
}

function failureOf(cause: unknown): GatewayError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new GatewayError('store-write-failed', { reason: code ?? message }, { cause });
}
