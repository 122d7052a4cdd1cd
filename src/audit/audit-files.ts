/** DATA/audit: `audit.jsonl` grows; when it is large it becomes `audit-FIRST.jsonl`, by the number of its first line. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

/** Every file, oldest first. */
export async function listAuditFiles(dataDir: string): Promise<readonly string[]> {
  return [...(await listRotated(dataDir)), currentFile(dataDir)];
}

/** The lines of a file, without their newlines; none of one that is not there. */
export async function* readLines(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return;
  const lines = createInterface({
    input: handle.createReadStream({ encoding: 'utf8' }),
    crlfDelay: Infinity,
  });
  yield* lines;
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
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return { lines: [], isCut: false, bytes: 0 };
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString('utf8').split('\n');
    const isCut = lines.at(-1) !== '';
    if (!isCut) lines.pop();
    return { lines: from === 0 ? lines : lines.slice(1), isCut, bytes: size };
  } finally {
    await handle.close();
  }
}

/** Of the last line that is whole. */
export const lastSeq = (lines: readonly string[]): number =>
  lines.map(parseEntry).findLast((entry) => entry !== undefined)?.seq ?? 0;
