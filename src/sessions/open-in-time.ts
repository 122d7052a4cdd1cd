import { GatewayError } from '../errors.ts';
import { noAnswer, withPatience } from '../recordings/patience.ts';
import type { RecordingMode } from '../recordings/recording-modes.ts';
import { RecordingImpossible } from '../recordings/recordings.ts';

/**
 * What is to record, as soon as it is open; undefined where it cannot be had and need not. `onFailure` is told of that first.
 * Throws recording-impossible where it must be had.
 */
export async function openInTime<T>(
  opening: Promise<T>,
  mode: RecordingMode,
  target: string,
  onFailure: (failure: RecordingImpossible) => void,
): Promise<T | undefined> {
  try {
    const opened = await withPatience(mode, opening);
    if (opened !== undefined) return opened;
    throw new RecordingImpossible(noAnswer);
  } catch (error) {
    if (!(error instanceof RecordingImpossible)) throw error;
    onFailure(error);
    if (mode !== 'required') return undefined;
    throw new GatewayError('recording-impossible', { target, reason: error.reason }, { cause: error });
  }
}
