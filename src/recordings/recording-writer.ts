/** Appends lines to a file, in order and bounded, while nobody waits who need not. */
import type { FileHandle } from 'node:fs/promises';
import { eventLine } from './asciicast.ts';
import type { RecordingMode } from './recording-modes.ts';
import { type EventCode, RecordingImpossible } from './recordings.ts';

/** What the writer needs of a file. */
export type RecordingHandle = Pick<FileHandle, 'appendFile' | 'truncate' | 'datasync' | 'close'>;

export interface WriterOptions {
  readonly handle: RecordingHandle;
  readonly mode: RecordingMode;
  /** That it holds already: the header. */
  readonly headerBytes: number;
  /** Seconds since the beginning. */
  readonly elapsed: () => number;
  /** Not yet written: more is waited for, or left out. */
  readonly maxBufferedBytes: number;
  readonly maxFileBytes: number;
  /** Bytes that reached the file. */
  readonly onWritten: (bytes: number) => void;
  /** Once, when no more can be written. */
  readonly onFailure: (error: unknown) => void;
}

export interface RecordingWriter {
  /** As `Recording.write`. */
  write(code: EventCode, text: string): Promise<void> | undefined;
  /** Resolves when all of it is on disk, or cannot be. */
  end(text: string): Promise<void>;
}

export function createRecordingWriter(options: WriterOptions): RecordingWriter {
  const { handle, mode, elapsed, maxBufferedBytes, maxFileBytes } = options;
  let queue: string[] = [];
  let queuedBytes = 0;
  let fileBytes = options.headerBytes;
  let leftOutBytes = 0;
  let state: 'open' | 'failed' | 'ended' = 'open';
  let writing: Promise<void> | undefined;
  let room: PromiseWithResolvers<void> | undefined;

  const push = (line: string) => {
    queue.push(line);
    queuedBytes += Buffer.byteLength(line);
    writing ??= drain().finally(() => {
      writing = undefined;
    });
  };

  /** What was left out is told where it is missing, as soon as there is room again. */
  const tellLeftOut = () => {
    if (leftOutBytes === 0) return;
    push(eventLine(elapsed(), 'm', `${leftOutBytes} bytes are left out: the disk was too slow`));
    leftOutBytes = 0;
  };

  async function drain(): Promise<void> {
    // Several events of one tick are one write.
    await Promise.resolve();
    while (queue.length > 0 && state !== 'failed') {
      const lines = queue.join('');
      const bytes = queuedBytes;
      queue = [];
      try {
        if (fileBytes + bytes > maxFileBytes) {
          throw new RecordingImpossible('the recording is as long as one may be');
        }
        await handle.appendFile(lines);
        fileBytes += bytes;
        queuedBytes -= bytes;
        options.onWritten(bytes);
      } catch (error) {
        await fail(error);
      }
      if (state === 'open') tellLeftOut();
      if (queuedBytes <= maxBufferedBytes / 2) {
        room?.resolve();
        room = undefined;
      }
    }
  }

  /** Half a line is of no use to anybody, and players stumble over it. */
  async function fail(error: unknown): Promise<void> {
    state = 'failed';
    queue = [];
    queuedBytes = 0;
    await handle.truncate(fileBytes).catch(() => {});
    options.onFailure(error);
  }

  return {
    write(code, text) {
      if (state !== 'open') return undefined;
      const isBehind = queuedBytes > maxBufferedBytes;
      if (isBehind && mode === 'on') {
        leftOutBytes += Buffer.byteLength(text);
        return undefined;
      }
      push(eventLine(elapsed(), code, text));
      if (queuedBytes <= maxBufferedBytes || mode === 'on') return undefined;
      room ??= Promise.withResolvers();
      return room.promise;
    },
    async end(text) {
      if (state === 'open') {
        tellLeftOut();
        push(eventLine(elapsed(), 'x', text));
        state = 'ended';
      }
      await writing;
      try {
        if ((state as string) !== 'failed') await handle.datasync();
      } catch (error) {
        options.onFailure(error);
      } finally {
        await handle.close().catch(() => {});
      }
    },
  };
}
