/**
 * Transactions whose steps are requests. Of this process one is open at a time; while one is written to the disk, the next
 * begins, so that they share a write.
 */
import { GatewayError, isGatewayError } from '../../errors.ts';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Peer } from '../../ipc/peer.ts';
import { type Store, type Transaction, UniqueViolation } from '../store.ts';
import type { PutAnswer, PutParams, RemoveParams } from './protocol.ts';
import { readOverIpc } from './read-over-ipc.ts';

export interface OverIpcTransactions {
  readonly run: Store['transact'];
  /** Resolves when all that was begun is settled. */
  close(): Promise<void>;
}

/** With a wait for others' transactions, and for a supervisor. */
const beginWithinMs = 30_000;
/** With the time in which a silent process is found out. */
const commitWithinMs = 60_000;
/** The other side waits no longer; and work that never ends would keep all that come after it from their turn. */
const maxWorkMs = 30_000;

interface Begun {
  readonly peer: Peer;
  readonly number: number;
}

export function createOverIpcTransactions(supervisor: SteadyPeer): OverIpcTransactions {
  let lastNumber = 0;
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const running = new Set<Promise<unknown>>();

  async function begin(): Promise<Begun> {
    const until = performance.now() + beginWithinMs;
    for (;;) {
      const peer = await supervisor.connected(until - performance.now()).catch(refuse);
      lastNumber += 1;
      const number = lastNumber;
      try {
        await peer.request('store.begin', number, { deadlineMs: until - performance.now() });
        return { peer, number };
      } catch (error) {
        const isGivenBack = isGatewayError(error, 'process-silent') && error.params.notBegun === true;
        if (peer.closedFor !== undefined || isGivenBack) continue;
        peer.notify('store.abort', number);
        throw notMade(error);
      }
    }
  }

  async function work<Result>(begun: Begun, doIt: (transaction: Transaction) => Promise<Result>) {
    const { transaction, end } = transactionOf(begun);
    try {
      return await within(maxWorkMs, doIt(transaction));
    } catch (error) {
      begun.peer.notify('store.abort', begun.number);
      throw error;
    } finally {
      end();
    }
  }

  /** Resolves when the next may begin; what it resolves to is when this one is on disk. */
  async function execute<Result>(doIt: (transaction: Transaction) => Promise<Result>) {
    const begun = await begin();
    const result = await work(begun, doIt);
    return { result, durable: commit(begun) };
  }

  async function run<Result>(doIt: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const executed = turn.then(() => execute(doIt));
    turn = executed.catch(() => {});
    const { result, durable } = await executed;
    await durable;
    return result;
  }

  return {
    async run(doIt) {
      if (isClosed) throw new GatewayError('store-write-failed', { reason: 'the store is closed' });
      const ran = run(doIt);
      running.add(ran);
      return ran.finally(() => running.delete(ran));
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(running);
    },
  };
}

function within<Result>(ms: number, result: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const reason = `it took ${ms / 1000} s`;
  const timer = setTimeout(() => reject(new GatewayError('store-write-failed', { reason })), ms);
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}

function transactionOf({ peer, number }: Begun): { transaction: Transaction; end: () => void } {
  let ended = false;
  const ask = async <Answer>(method: string, params: unknown, largeAnswer = false): Promise<Answer> => {
    if (ended) throw new Error('this transaction has ended');
    return peer.request<Answer>(method, params, { largeAnswer, goesOn: true }).catch(refuse);
  };
  return {
    transaction: {
      ...readOverIpc(ask, number),
      async put(table, row) {
        const params: PutParams = [number, table, row as never];
        const answer = await ask<PutAnswer>('store.put', params);
        if (answer) throw new UniqueViolation(table, answer.taken);
      },
      async remove(table, id) {
        const params: RemoveParams = [number, table, id];
        await ask('store.remove', params);
      },
    },
    end: () => {
      ended = true;
    },
  };
}

/** A commit without an answer may have been made. */
async function commit({ peer, number }: Begun): Promise<void> {
  try {
    await peer.request('store.commit', number, { deadlineMs: commitWithinMs, goesOn: true });
  } catch (error) {
    if (!isGatewayError(error, 'process-silent')) throw error;
    const { reason, notBegun } = error.params;
    const mayBeMade = notBegun !== true;
    throw new GatewayError('store-write-failed', { reason, mayBeMade }, { cause: error });
  }
}

/** Before the commit nothing is made. */
function notMade(error: unknown): unknown {
  if (!isGatewayError(error, 'process-silent')) return error;
  return new GatewayError('store-write-failed', { reason: error.message }, { cause: error });
}

function refuse(error: unknown): never {
  throw notMade(error);
}
