/** What a recording is: one asciicast v2 file for a session, or for what a connection forwards into one target. */
import type { RecordingMode } from './recording-modes.ts';

/** What stands in a recording's header. */
export interface RecordingFacts {
  /** Of the session; the file is named by it. */
  readonly id: string;
  /** Where several share a database: which of them recorded it. */
  readonly gateway?: string;
  readonly kind: 'terminal' | 'exec' | 'files' | 'forwards';
  readonly account: string;
  readonly accountId: string;
  /** Of the key that signed. */
  readonly fingerprint: string;
  readonly source: string;
  readonly connectionId: string;
  /** The target's name, and what owning it hangs on. */
  readonly target: string;
  readonly targetKey: string;
  /** In the target; absent: its default user. */
  readonly user?: string;
  /** Masked. */
  readonly command: string;
  readonly terminal?: { readonly columns: number; readonly rows: number; readonly term: string };
}

/** asciicast v2's output, input, marker and resize; `x` is ours, a JSON object as text, and skipped by other players. */
export type EventCode = 'o' | 'i' | 'm' | 'r' | 'x';

/** A recording that is being written. */
export interface Recording {
  readonly id: string;
  readonly mode: RecordingMode;
  /**
   * Returns at once. A promise is returned where the writer should wait, because the disk is behind and nothing may be
   * left out; where something may, that is what happens, and a marker says how much.
   */
  write(code: EventCode, text: string): Promise<void> | undefined;
  /** Aborted, with a reason for people, when no more can be written. */
  readonly failed: AbortSignal;
  /** The last event; resolves when the file is on disk, or cannot be. Idempotent. */
  finish(end: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface RecordingSummary extends RecordingFacts {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly required: boolean;
  readonly bytes: number;
  /** `unfinished`: the gateway, or its disk, failed before the end. */
  readonly state: 'running' | 'finished' | 'unfinished';
  readonly durationS?: number;
  /** How the session ended, as in the audit. */
  readonly end?: Readonly<Record<string, unknown>>;
}

export interface Recordings {
  /** Throws RecordingImpossible. */
  open(facts: RecordingFacts, mode: RecordingMode): Promise<Recording>;
  /** Newest first, those that `wanted` takes, at most `limit`. Throws what the disk throws. */
  list(wanted: (summary: RecordingSummary) => boolean, limit: number): Promise<readonly RecordingSummary[]>;
  find(id: string): Promise<RecordingSummary | undefined>;
  /** The file's bytes, as they are. Throws what the disk throws. */
  read(id: string): Promise<AsyncIterable<Buffer>>;
  /** False where there is none, or it is being written. */
  remove(id: string): Promise<boolean>;
  /** Removes what is older, or more, than is kept. */
  prune(): Promise<void>;
  /** Finishes what is open. */
  close(): Promise<void>;
}

/** `reason` is for people: `disk full`. */
export class RecordingImpossible extends Error {
  override readonly name = 'RecordingImpossible';
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`no recording: ${reason}`, { cause });
    this.reason = reason;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'the folder may not be written to',
  EPERM: 'the folder may not be written to',
  ENOTDIR: 'its folder is not a folder',
  EEXIST: 'its folder is not a folder',
  ELOOP: 'its folder is not a folder',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

/** What the disk threw, in words. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof RecordingImpossible) return error.reason;
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || `the disk failed${code === undefined ? '' : ` (${code})`}`;
};
