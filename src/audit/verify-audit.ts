/** Follows the chain through every audit file, from the oldest line that is kept. */
import { basename } from 'node:path';
import { listAuditFiles, readLines } from './audit-files.ts';
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
export async function verifyAudit(dataDir: string, expected?: string): Promise<Verdict> {
  const breaks: AuditBreak[] = [];
  let lines = 0;
  let firstSeq: number | undefined;
  let lastSeq: number | undefined;
  let lastHash: string | undefined;
  let cutShort = 0;
  let expectedFound = expected === undefined;
  /** A line that cannot be read, until the next one has said whether a crash explains it. */
  let unread: AuditBreak | undefined;

  for (const path of await listAuditFiles(dataDir)) {
    const file = basename(path);
    let number = 0;
    for await (const text of readLines(path)) {
      number++;
      lines++;
      const hash = hashOf(text);
      if (hash === expected) expectedFound = true;
      const at = (problem: string) => ({ file, line: number, problem });
      const entry = parseEntry(text);
      if (unread) {
        if (entry?.event === 'log-resumed') cutShort++;
        else breaks.push(unread);
        unread = undefined;
      }
      if (!entry) unread = at('it cannot be read');
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
  if (unread) breaks.push(unread);
  return { lines, firstSeq, lastSeq, lastHash, cutShort, expectedFound, breaks: breaks.slice(0, maxBreaks) };
}
