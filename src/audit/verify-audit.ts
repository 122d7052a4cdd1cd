/** Follows the chain through every audit file, from the oldest line that is kept. */
import { basename } from 'node:path';
import { type AuditFile, readAuditFiles } from './audit-files.ts';
import { hashOf, parseEntry } from './chain.ts';

export interface AuditBreak {
  /** Name of the file, and number of the line in it, from 1. */
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

export interface Verdict {
  readonly lines: number;
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  /** Of the last line: kept elsewhere, it shows later that nothing was cut off since. */
  readonly lastHash: string | undefined;
  /** Lines that a crash cut short, each followed by a line that says so. */
  readonly cutShort: number;
  /** Whether a line has the hash that was expected; true where none was. */
  readonly expectedFound: boolean;
  readonly breaks: readonly AuditBreak[];
}

const maxBreaks = 20;

/** Throws what the disk throws. `expected`: a hash that the last line had once. */
export const verifyAudit = (dataDir: string, expected?: string): Promise<Verdict> =>
  readAuditFiles(dataDir, (files) => verifyFiles(files, expected));

async function verifyFiles(files: readonly AuditFile[], expected: string | undefined): Promise<Verdict> {
  const breaks: AuditBreak[] = [];
  let lines = 0;
  let firstSeq: number | undefined;
  let lastSeq: number | undefined;
  let lastHash: string | undefined;
  let cutShort = 0;
  let expectedFound = expected === undefined;
  /** Lines that cannot be read, until the next one has said whether a crash, or a full disk, explains them. */
  let unread: AuditBreak[] = [];

  for (const { path, lines: linesOf } of files) {
    const file = basename(path);
    let number = 0;
    for await (const text of linesOf()) {
      number++;
      lines++;
      const hash = hashOf(text);
      if (hash === expected) expectedFound = true;
      const at = (problem: string) => ({ file, line: number, problem });
      const entry = parseEntry(text);
      if (entry) {
        if (entry.event === 'log-resumed') cutShort += unread.length;
        else for (const each of unread) breaks.push(each);
        unread = [];
      }
      if (!entry) unread.push(at('it cannot be read'));
      else if (lastHash !== undefined && entry.prev !== lastHash)
        breaks.push(at('it does not follow the line before'));
      else if (lastSeq !== undefined && entry.seq !== lastSeq + 1)
        breaks.push(at(`it has number ${entry.seq} after ${lastSeq}`));
      if (entry) {
        firstSeq ??= entry.seq;
        lastSeq = entry.seq;
      }
      lastHash = hash;
    }
  }
  const told = [...breaks, ...unread].slice(0, maxBreaks);
  return { lines, firstSeq, lastSeq, lastHash, cutShort, expectedFound, breaks: told };
}
