/** Which recordings have had their time. */

export interface KeptFile {
  readonly id: string;
  readonly startedAtMs: number;
  readonly bytes: number;
}

export interface RetentionRules {
  readonly nowMs: number;
  /** Older ones go; 0: none for its age. */
  readonly keptMs: number;
  /** Of all together; the oldest go first; 0: none for its size. */
  readonly maxBytes: number;
  /** Being written: they count, and stay. */
  readonly isOpen: (id: string) => boolean;
}

/** `files` oldest first. */
export function choosePruned<File extends KeptFile>(
  files: readonly File[],
  { nowMs, keptMs, maxBytes, isOpen }: RetentionRules,
): readonly File[] {
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return files.filter(({ id, startedAtMs, bytes }) => {
    const isOld = keptMs > 0 && startedAtMs < nowMs - keptMs;
    const isTooMuch = maxBytes > 0 && total > maxBytes;
    if (isOpen(id) || !(isOld || isTooMuch)) return false;
    total -= bytes;
    return true;
  });
}
