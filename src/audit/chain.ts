/**
 * One line of the audit file: JSON that ends in the hash of the line before it, so that a line that was changed, taken
 * out or put in breaks the chain at that place. What is cut off at the end breaks nothing: who must notice that, keeps
 * the last hash somewhere else.
 */
import { createHash } from 'node:crypto';

export type AuditFields = Readonly<Record<string, unknown>>;

/** Where the chain stands: after a line with this number and this hash. */
export interface ChainEnd {
  readonly seq: number;
  /** SHA-256 of the line without its newline, in hex. */
  readonly hash: string;
}

export interface AuditEntry {
  readonly seq: number;
  readonly time: string;
  readonly event: string;
  readonly fields: AuditFields;
  readonly prev: string;
}

export const beginning: ChainEnd = { seq: 0, hash: '0'.repeat(64) };

export const hashOf = (line: string): string => createHash('sha256').update(line).digest('hex');

/** The line, without newline, and the end of the chain after it. */
export function chainLine(
  end: ChainEnd,
  time: string,
  event: string,
  fields: AuditFields,
): { readonly line: string; readonly end: ChainEnd } {
  const seq = end.seq + 1;
  const line = JSON.stringify({ seq, time, event, ...fields, prev: end.hash });
  return { line, end: { seq, hash: hashOf(line) } };
}

/** Undefined for what is no such line: half of one, say, after a power cut. */
export function parseEntry(line: string): AuditEntry | undefined {
  try {
    const { seq, time, event, prev, ...fields } = JSON.parse(line) as Record<string, unknown>;
    if (!Number.isSafeInteger(seq) || typeof event !== 'string' || typeof prev !== 'string') return undefined;
    return { seq: seq as number, time: String(time), event, fields, prev };
  } catch {
    return undefined;
  }
}
