/** The audit on disk: append-only, chained, rotated by size. Nobody waits for it: events queue, bounded, and are written in turn. */
import type { Logger } from 'pino';
import { type Clock, isoTime } from '../platform/clock.ts';
import { type AuditEvent, type AuditWriter, openAuditWriter, type WriterOptions } from './audit-writer.ts';
import { type AuditFields, beginning, type ChainEnd } from './chain.ts';

export interface AuditLog {
  /** Never throws and never waits. */
  write(event: string, fields: AuditFields): void;
  /** Why events are not reaching the disk now; undefined while they do. */
  problem(): string | undefined;
  /** Called at each change of `problem`, until the returned function is. */
  onProblem(listener: () => void): () => void;
  /** Resolves when what was written so far is on the disk, or could not be. */
  flush(): Promise<void>;
  /** The end of what is on the disk, after a flush. */
  head(): Promise<ChainEnd>;
  close(): Promise<void>;
}

export interface AuditLogOptions extends WriterOptions {
  readonly log: Logger;
}

const maxPending = 20_000;
const batchSize = 1_000;
const retryAfterMs = 1_000;
/** A short session's beginning and end share a flush, and neither competes with the session for the machine. */
const gatherMs = 20;
/** A disk that takes longer is taken for one that hangs. */
const patienceMs = 10_000;

/** Throws what the disk throws when there is no writing to it now. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { log } = options;
  let writer = await openAuditWriter(options, beginning);
  const queue = createQueue(options.clock);
  const problem = createProblem(log);
  const turns = createTurns(drain);
  let closed = false;
  let retrying: NodeJS.Timeout | undefined;

  /** Returns whether more waits. */
  async function drain(isAwaited: () => boolean): Promise<boolean> {
    for (let batch = queue.next(); batch.length > 0; batch = queue.next()) {
      const patience = setTimeout(() => problem.begin(new HangingDisk()), patienceMs).unref();
      try {
        await writer.append(batch);
      } catch (error) {
        await fail(error as NodeJS.ErrnoException);
        return false;
      } finally {
        clearTimeout(patience);
      }
      queue.written(batch);
      queue.tellLost();
      if (!queue.hasLost()) problem.over();
      // Each turn costs the disk and the process as much as the events of several logins: what came meanwhile gathers, too.
      if (!isAwaited() && queue.waiting() < batchSize) break;
    }
    return queue.waiting() > 0;
  }

  /** What was written of the batch nobody knows: the file is read again, as after a power cut. */
  async function fail(error: NodeJS.ErrnoException): Promise<void> {
    problem.begin(error);
    await writer.close().catch(() => {});
    const end = writer.end();
    writer = await openAuditWriter(options, end).catch(() => brokenWriter(error, end));
    if (!closed) retrying = setTimeout(turns.start, retryAfterMs).unref();
  }

  return {
    write(event, fields) {
      if (closed) return;
      queue.push(event, fields);
      if (queue.hasLost() && problem.now() === undefined) problem.begin(new TooManyEvents());
      turns.startSoon();
    },
    problem: problem.now,
    onProblem: problem.onChange,
    flush: turns.settled,
    async head() {
      await turns.settled();
      return writer.end();
    },
    async close() {
      closed = true;
      // By then the file is a successor's.
      clearTimeout(retrying);
      await turns.settled();
      await writer.close().catch(() => {});
    },
  };
}

/** One turn of writing at a time, at once or when a little more may have come. `write` returns whether more waits. */
function createTurns(write: (isAwaited: () => boolean) => Promise<boolean>) {
  let writing: Promise<void> | undefined;
  let gathering: NodeJS.Timeout | undefined;
  let awaiting = 0;
  const turn = async () => {
    try {
      if (await write(() => awaiting > 0)) startSoon();
    } finally {
      writing = undefined;
    }
  };
  const start = () => {
    clearTimeout(gathering);
    gathering = undefined;
    writing ??= turn();
  };
  const startSoon = () => {
    gathering ??= setTimeout(start, gatherMs);
  };
  return {
    start,
    startSoon,
    async settled() {
      awaiting++;
      try {
        // A turn that is about to end may not have seen the newest.
        await writing;
        if (gathering !== undefined) start();
        await writing;
      } finally {
        awaiting--;
      }
    },
  };
}

/** What waits for the disk; what finds no room is counted, and told of when there is some. */
function createQueue(clock: Clock) {
  let pending: AuditEvent[] = [];
  let lost = 0;
  const push = (event: string, fields: AuditFields) => {
    if (pending.length < maxPending) pending.push({ time: isoTime(clock), event, fields });
    else lost++;
  };
  return {
    push,
    next: (): readonly AuditEvent[] => pending.slice(0, batchSize),
    waiting: () => pending.length,
    written(batch: readonly AuditEvent[]) {
      pending = pending.slice(batch.length);
    },
    hasLost: () => lost > 0,
    tellLost() {
      if (lost === 0 || pending.length > 0) return;
      const count = lost;
      lost = 0;
      push('events-lost', { count });
    },
  };
}

/** Why nothing can be written now. */
function createProblem(log: Logger) {
  let problem: string | undefined;
  const listeners = new Set<() => void>();
  const set = (now: string | undefined) => {
    const isNew = now !== problem;
    problem = now;
    if (isNew) for (const listener of listeners) listener();
  };
  return {
    now: () => problem,
    onChange(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    begin(error: NodeJS.ErrnoException) {
      if (problem === undefined) log.error({ err: error }, 'the audit cannot be written');
      set(error.code ?? 'failed');
    },
    over() {
      if (problem !== undefined) log.warn('the audit is written again');
      set(undefined);
    },
  };
}

class HangingDisk extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`the disk did not answer within ${patienceMs / 1000} s`);
  }
}

class TooManyEvents extends Error {
  readonly code = 'ENOBUFS';

  constructor() {
    super(`more than ${maxPending} events wait for the disk`);
  }
}

const brokenWriter = (error: Error, end: ChainEnd): AuditWriter => ({
  end: () => end,
  append: () => Promise.reject(error),
  close: async () => {},
});
