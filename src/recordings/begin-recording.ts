/** A recording from its header to its end. */
import type { Logger } from 'pino';
import { headerLine } from './asciicast.ts';
import type { RecordingFolder } from './recording-folder.ts';
import type { RecordingMode } from './recording-modes.ts';
import { createRecordingWriter } from './recording-writer.ts';
import { type Recording, type RecordingFacts, reasonOf } from './recordings.ts';

export interface BeginOptions {
  readonly folder: RecordingFolder;
  readonly log: Logger;
  readonly startedAtMs: number;
  readonly maxFileBytes: number;
  readonly onWritten: (bytes: number) => void;
  readonly onFinished: () => void;
}

/** Of events that wait for the disk. */
const maxBufferedBytes = 4 * 1024 * 1024;

/** Throws what the disk throws; then there is no file. */
export async function beginRecording(
  facts: RecordingFacts,
  mode: RecordingMode,
  { folder, log, startedAtMs, maxFileBytes, onWritten, onFinished }: BeginOptions,
): Promise<Recording> {
  const { id } = facts;
  const header = headerLine({ facts, mode, startedAtMs });
  const handle = await folder.create(id, startedAtMs);
  try {
    await handle.appendFile(header);
  } catch (error) {
    await handle.close().catch(() => {});
    const begun = (await folder.list()).find((file) => file.id === id);
    if (begun) await folder.remove(begun).catch(() => {});
    throw error;
  }
  const headerBytes = Buffer.byteLength(header);
  onWritten(headerBytes);
  const begunAtMs = performance.now();
  const failure = new AbortController();
  const writer = createRecordingWriter({
    ...{ handle, headerBytes, mode, maxBufferedBytes, maxFileBytes, onWritten },
    // The clock on the wall may jump.
    elapsed: () => (performance.now() - begunAtMs) / 1000,
    onFailure: (error) => {
      log.warn({ err: error, recording: id }, 'a recording cannot be written any more');
      failure.abort(reasonOf(error));
    },
  });
  let finished: Promise<void> | undefined;
  return {
    id,
    mode,
    write: writer.write,
    failed: failure.signal,
    finish(end) {
      finished ??= writer.end(JSON.stringify({ end })).finally(onFinished);
      return finished;
    },
  };
}
