/** DATA/audit: `audit.jsonl` grows; when it is large it becomes `audit-FIRST.jsonl`, by the number of its first line. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEntry } from './chain.ts';

export const auditFolder = (dataDir: string): string => join(dataDir, 'audit');
export const currentFile = (dataDir: string): string => join(auditFolder(dataDir), 'audit.jsonl');

/** Sorts by name as by number. */
export const rotatedFile = (dataDir: string, firstSeq: number): string =>
  join(auditFolder(dataDir), `audit-${String(firstSeq).padStart(12, '0')}.jsonl`);

const rotatedName = /^audit-\d{12,15}\.jsonl$/;

/** Those that exist, oldest first; none where there is no folder. */
export async function listRotated(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(auditFolder(dataDir)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => rotatedName.test(name))
    .toSorted()
    .map((name) => join(auditFolder(dataDir), name));
}

/** One file of the audit, for reading. */
export interface AuditFile {
  readonly path: string;
  /** Without their newlines. To be called once; throws ENOENT where it was removed since. */
  lines(): AsyncGenerator<string>;
}

/** Of those that went away before they were read, each time. */
const maxTries = 10;

/**
 * Every file of one moment, oldest first: what becomes full while they are read is neither missed nor read twice. The last
 * of them is written meanwhile, so of that only lines that have their newline. Where one is removed before it was read,
 * `read` is called again, with those that are left.
 */
export async function readAuditFiles<Result>(
  dataDir: string,
  read: (files: readonly AuditFile[]) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    const { files, close } = await openAuditFiles(dataDir);
    try {
      return await read(files);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === maxTries) throw error;
    } finally {
      await close();
    }
  }
}

async function openAuditFiles(
  dataDir: string,
): Promise<{ readonly files: readonly AuditFile[]; close(): Promise<void> }> {
  for (;;) {
    const rotated = await listRotated(dataDir);
    const path = currentFile(dataDir);
    const current = await openIfThere(path);
    const close = async () => current?.close();
    // What was opened may be one of the full ones by now.
    if (String(await listRotated(dataDir)) === String(rotated)) {
      const full = rotated.map((each) => ({ path: each, lines: () => linesAt(each) }));
      const last = current ? [{ path, lines: () => wholeLines(current) }] : [];
      return { files: [...full, ...last], close };
    }
    await close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  return open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** What follows the last newline is a line, too. */
async function* linesAt(file: string): AsyncGenerator<string> {
  const rest = yield* wholeLines(await open(file));
  if (rest !== '') yield rest;
}

/** Node's readline would end lines at U+2028 and U+2029 as well, which JSON leaves as they are. Returns what follows the last newline. */
async function* wholeLines(handle: FileHandle): AsyncGenerator<string, string> {
  let rest = '';
  for await (const chunk of handle.createReadStream({ encoding: 'utf8' }) as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  return rest;
}

/** Undefined where there is none, or no file. */
export async function findFirstLine(file: string): Promise<string | undefined> {
  const handle = await openIfThere(file);
  if (!handle) return undefined;
  for await (const line of wholeLines(handle)) return line;
  return undefined;
}

const tailBytes = 1024 * 1024;

/** What a file ends with. */
export interface Tail {
  /** Its last lines: as many as fit into a mebibyte. */
  readonly lines: readonly string[];
  /** The last one lacks its newline: whoever wrote it was cut off. */
  readonly isCut: boolean;
  readonly bytes: number;
}

export async function readTail(file: string): Promise<Tail> {
  const handle = await openIfThere(file);
  if (!handle) return { lines: [], isCut: false, bytes: 0 };
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString('utf8').split('\n');
    const isCut = lines.at(-1) !== '';
    if (!isCut) lines.pop();
    // One that is longer than this is none of ours, whatever it holds.
    return { lines: from === 0 || lines.length === 1 ? lines : lines.slice(1), isCut, bytes: size };
  } finally {
    await handle.close();
  }
}

/** Of the last line that is whole; 0 where none is. */
export const lastSeq = (lines: readonly string[]): number =>
  lines.map(parseEntry).findLast((entry) => entry !== undefined)?.seq ?? 0;
