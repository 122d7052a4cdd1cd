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
  const { handle, mode, elapsed, maxBufferedBytes } = options;
  let leftOutBytes = 0;
  let isEnded = false;
  let room: PromiseWithResolvers<void> | undefined;

  /** What was left out is told where it is missing, as soon as there is room again. */
  const tellLeftOut = () => {
    if (leftOutBytes === 0) return;
    lines.push(eventLine(elapsed(), 'm', `${leftOutBytes} bytes are left out: the disk was too slow`));
    leftOutBytes = 0;
  };
  const lines = createAppender(options, () => {
    if (!lines.hasFailed && !isEnded) tellLeftOut();
    if (lines.waitingBytes > maxBufferedBytes / 2) return;
    room?.resolve();
    room = undefined;
  });

  return {
    write(code, text) {
      if (lines.hasFailed || isEnded) return undefined;
      const isBehind = lines.waitingBytes > maxBufferedBytes;
      if (isBehind && mode === 'on') {
        leftOutBytes += Buffer.byteLength(text);
        return undefined;
      }
      lines.push(eventLine(elapsed(), code, text));
      if (lines.waitingBytes <= maxBufferedBytes || mode === 'on') return undefined;
      room ??= Promise.withResolvers();
      return room.promise;
    },
    async end(text) {
      if (!lines.hasFailed && !isEnded) {
        tellLeftOut();
        lines.push(eventLine(elapsed(), 'x', text));
        isEnded = true;
      }
      await lines.written();
      try {
        if (!lines.hasFailed) await handle.datasync();
      } catch (error) {
        options.onFailure(error);
      } finally {
        await handle.close().catch(() => {});
      }
    },
  };
}

type AppenderOptions = Pick<
  WriterOptions,
  'handle' | 'headerBytes' | 'maxFileBytes' | 'onWritten' | 'onFailure'
>;

/** Appends lines in the order in which they are pushed; `onTurn` is called after each write, also after one that failed. */
function createAppender(
  { handle, headerBytes, maxFileBytes, onWritten, onFailure }: AppenderOptions,
  onTurn: () => void,
) {
  let queue: string[] = [];
  let waitingBytes = 0;
  let fileBytes = headerBytes;
  let hasFailed = false;
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // Several events of one tick are one write.
    await Promise.resolve();
    while (queue.length > 0 && !hasFailed) {
      const lines = queue.join('');
      const bytes = waitingBytes;
      queue = [];
      try {
        if (fileBytes + bytes > maxFileBytes) {
          throw new RecordingImpossible('the recording is as long as one may be');
        }
        await handle.appendFile(lines);
        fileBytes += bytes;
        waitingBytes -= bytes;
        onWritten(bytes);
      } catch (error) {
        hasFailed = true;
        queue = [];
        waitingBytes = 0;
        // Half a line is of no use to anybody, and players stumble over it.
        await handle.truncate(fileBytes).catch(() => {});
        onFailure(error);
      }
      onTurn();
    }
    // In this very step: whoever was let go on by `onTurn` may write in the next.
    writing = undefined;
  }

  return {
    get waitingBytes() {
      return waitingBytes;
    },
    get hasFailed() {
      return hasFailed;
    },
    push(line: string) {
      queue.push(line);
      waitingBytes += Buffer.byteLength(line);
      writing ??= drain();
    },
    /** Resolves when nothing waits. */
    written: async () => writing,
  };
}
