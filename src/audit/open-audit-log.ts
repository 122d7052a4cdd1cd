/** The audit on disk: append-only, chained, rotated by size. Nobody waits for it: events queue, bounded, and are written in turn. */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import type { Logger } from 'pino';
import { type Clock, isoTime } from '../platform/clock.ts';
import { makeFolder } from '../platform/make-folder.ts';
import {
  auditFolder,
  currentFile,
  lastSeq,
  listRotated,
  readLines,
  readTail,
  rotatedFile,
} from './audit-files.ts';
import { type AuditFields, beginning, type ChainEnd, chainLine, hashOf, parseEntry } from './chain.ts';

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

export interface AuditLogOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** A file of so many bytes makes room for the next. */
  readonly maxFileBytes: number;
  /** So many full files are kept; 0: all. */
  readonly keptFiles: number;
}

interface Pending {
  readonly time: string;
  readonly event: string;
  readonly fields: AuditFields;
}

const maxPending = 20_000;
const batchSize = 1_000;
const retryAfterMs = 1_000;
/** A short session's beginning and end share a flush, and neither competes with the session for the machine. */
const gatherMs = 20;

/** Throws what the disk throws when there is no writing to it now. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { log } = options;
  let writer = await openWriter(options, beginning);
  const queue = createQueue(options.clock);
  const problem = createProblem(log);
  const turns = createTurns(drain);
  let closed = false;
  let retrying: NodeJS.Timeout | undefined;

  async function drain(): Promise<void> {
    for (let batch = queue.next(); batch.length > 0; batch = queue.next()) {
      try {
        await writer.append(batch);
      } catch (error) {
        return fail(error as NodeJS.ErrnoException);
      }
      queue.written(batch);
      problem.over();
      queue.tellLost();
    }
  }

  /** What was written of the batch nobody knows: the file is read again, as after a power cut. */
  async function fail(error: NodeJS.ErrnoException): Promise<void> {
    problem.begin(error);
    await writer.close().catch(() => {});
    const end = writer.end();
    writer = await openWriter(options, end).catch(() => brokenWriter(error, end));
    if (!closed) retrying = setTimeout(turns.start, retryAfterMs).unref();
  }

  return {
    write(event, fields) {
      if (closed) return;
      queue.push(event, fields);
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

/** One turn of writing at a time, at once or when a little more may have come. */
function createTurns(write: () => Promise<void>) {
  let writing: Promise<void> | undefined;
  let gathering: NodeJS.Timeout | undefined;
  const start = () => {
    clearTimeout(gathering);
    gathering = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  };
  return {
    start,
    startSoon() {
      gathering ??= setTimeout(start, gatherMs);
    },
    async settled() {
      if (gathering !== undefined) start();
      await writing;
    },
  };
}

/** What waits for the disk; what finds no room is counted, and told of when there is some. */
function createQueue(clock: Clock) {
  let pending: Pending[] = [];
  let lost = 0;
  const push = (event: string, fields: AuditFields) => {
    if (pending.length < maxPending) pending.push({ time: isoTime(clock), event, fields });
    else lost++;
  };
  return {
    push,
    next: (): readonly Pending[] => pending.slice(0, batchSize),
    written(batch: readonly Pending[]) {
      pending = pending.slice(batch.length);
    },
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

interface Writer {
  /** Of what is known to be on the disk. */
  end(): ChainEnd;
  append(batch: readonly Pending[]): Promise<void>;
  close(): Promise<void>;
}

const brokenWriter = (error: Error, end: ChainEnd): Writer => ({
  end: () => end,
  append: () => Promise.reject(error),
  close: async () => {},
});

/** `known`: where the chain goes on when there is no file any more, so that what is missing is seen to be missing. */
async function openWriter(options: AuditLogOptions, known: ChainEnd): Promise<Writer> {
  const { dataDir, clock } = options;
  await makeFolder(auditFolder(dataDir));
  const file = currentFile(dataDir);
  const tail = await readTail(file);
  let end = (await findEnd(dataDir, tail.lines)) ?? known;
  let written = end;
  let firstSeq = (await findFirstSeq(file)) ?? end.seq + 1;
  let bytes = tail.bytes;
  let handle: FileHandle = await open(file, 'a', 0o600);

  const write = async (text: string) => {
    await handle.appendFile(text);
    bytes += Buffer.byteLength(text);
  };
  const line = (time: string, event: string, fields: AuditFields): string => {
    const chained = chainLine(end, time, event, fields);
    end = chained.end;
    return `${chained.line}\n`;
  };
  const rotate = async () => {
    await handle.sync();
    await handle.close();
    await rename(file, rotatedFile(dataDir, firstSeq));
    handle = await open(file, 'a', 0o600);
    bytes = 0;
    firstSeq = end.seq + 1;
    await removeOld(options);
  };

  const resume = async (cut: string) => {
    await write('\n');
    end = { seq: end.seq, hash: hashOf(cut) };
    await write(line(isoTime(clock), 'log-resumed', { after: 'a line that was cut short' }));
  };
  if (tail.isCut) {
    await resume(tail.lines.at(-1) as string).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
  }
  return {
    end: () => written,
    async append(batch) {
      // Else whatever is written goes to a file that nobody can open, and nobody is told.
      if ((await handle.stat()).nlink === 0) throw new RemovedFile();
      if (bytes >= options.maxFileBytes) await rotate();
      await write(batch.map(({ time, event, fields }) => line(time, event, fields)).join(''));
      await handle.datasync();
      written = end;
    },
    close: () => handle.close(),
  };
}

async function removeOld({ dataDir, keptFiles }: AuditLogOptions): Promise<void> {
  const rotated = keptFiles === 0 ? [] : (await listRotated(dataDir)).slice(0, -keptFiles);
  for (const old of rotated) await unlink(old);
}

class RemovedFile extends Error {
  readonly code = 'ENOENT';

  constructor() {
    super('the audit file was removed');
  }
}

/** Where the chain goes on: after the current file's last line, or after the newest full file's. */
async function findEnd(dataDir: string, current: readonly string[]): Promise<ChainEnd | undefined> {
  const newest = (await listRotated(dataDir)).at(-1);
  const lines = current.length > 0 || newest === undefined ? current : (await readTail(newest)).lines;
  const last = lines.at(-1);
  return last === undefined ? undefined : { seq: lastSeq(lines), hash: hashOf(last) };
}

async function findFirstSeq(file: string): Promise<number | undefined> {
  for await (const line of readLines(file)) return parseEntry(line)?.seq;
  return undefined;
}
