/** The files of the audit as they are written: a chain that goes on after whatever happened to them, and is rotated by size. */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { type Clock, isoTime } from '../platform/clock.ts';
import { makeFolder } from '../platform/make-folder.ts';
import {
  auditFolder,
  currentFile,
  findFirstLine,
  lastSeq,
  listRotated,
  readTail,
  rotatedFile,
} from './audit-files.ts';
import { type AuditFields, type ChainEnd, chainLine, hashOf, parseEntry } from './chain.ts';

export interface WriterOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** A file of so many bytes makes room for the next. */
  readonly maxFileBytes: number;
  /** So many full files are kept; 0: all. */
  readonly keptFiles: number;
}

export interface AuditEvent {
  readonly time: string;
  readonly event: string;
  readonly fields: AuditFields;
}

export interface AuditWriter {
  /** Of what is known to be on the disk. */
  end(): ChainEnd;
  append(batch: readonly AuditEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** `known`: where the chain goes on when there is no file any more, so that what is missing is seen to be missing. */
export async function openAuditWriter(options: WriterOptions, known: ChainEnd): Promise<AuditWriter> {
  const { dataDir, clock } = options;
  await makeFolder(auditFolder(dataDir));
  const file = currentFile(dataDir);
  const tail = await readTail(file);
  let end = await findEnd(dataDir, tail.lines, known);
  let written = end;
  let firstSeq = (tail.bytes > 0 ? await findFirstSeq(file) : undefined) ?? end.seq + 1;
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

  const last = tail.lines.at(-1);
  if (last !== undefined && (tail.isCut || !parseEntry(last))) {
    end = { seq: end.seq, hash: hashOf(last) };
    const resumed = line(isoTime(clock), 'log-resumed', { after: 'a line that was cut short' });
    await write(`${tail.isCut ? '\n' : ''}${resumed}`).catch(async (error: unknown) => {
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

async function removeOld({ dataDir, keptFiles }: WriterOptions): Promise<void> {
  const rotated = keptFiles === 0 ? [] : (await listRotated(dataDir)).slice(0, -keptFiles);
  for (const old of rotated) await unlink(old);
}

class RemovedFile extends Error {
  readonly code = 'ENOENT';

  constructor() {
    super('the audit file was removed');
  }
}

/**
 * Where the chain goes on: after the current file's last line, or after the newest full file's. Where that is before what is
 * known, lines are missing.
 */
async function findEnd(dataDir: string, current: readonly string[], known: ChainEnd): Promise<ChainEnd> {
  const newest = (await listRotated(dataDir)).at(-1);
  const before = newest === undefined ? [] : (await readTail(newest)).lines;
  const last = current.at(-1) ?? before.at(-1);
  const seq = lastSeq(current) || lastSeq(before);
  return last === undefined || seq < known.seq ? known : { seq, hash: hashOf(last) };
}

async function findFirstSeq(file: string): Promise<number | undefined> {
  return parseEntry((await findFirstLine(file)) ?? '')?.seq;
}
