/** For a disk that hangs nobody waits for ever. */
import type { RecordingMode } from './recording-modes.ts';

const patienceMs: Readonly<Record<RecordingMode, number>> = { on: 1_000, required: 30_000 };

export const noAnswer = 'the disk does not answer';

/** What `work` resolves to; undefined where it takes longer than a recording of this mode is waited for. */
export function withPatience<T>(mode: RecordingMode, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patienceMs[mode], undefined);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
