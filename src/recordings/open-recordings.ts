/** The recordings of this gateway: written by it, listed, read and removed, and kept as long as the operator wants them. */
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import { headerLine } from './asciicast.ts';
import { createRecordingFolder, isRecordingId, type RecordingFile } from './recording-folder.ts';
import type { RecordingMode } from './recording-modes.ts';
import { createRecordingWriter } from './recording-writer.ts';
import {
  type Recording,
  type RecordingFacts,
  RecordingImpossible,
  type RecordingSummary,
  type Recordings,
  reasonOf,
} from './recordings.ts';
import { choosePruned } from './retention.ts';
import { summarize } from './summarize.ts';

export interface RecordingsOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Of one recording. */
  readonly maxFileBytes: number;
  /** Of all; 0: no limit. */
  readonly maxBytes: number;
  /** 0: for ever. */
  readonly keptMs: number;
}

const maxBufferedBytes = 4 * 1024 * 1024;
const pruneEveryMs = 10 * 60_000;
const chunkBytes = 64 * 1024;

export function openRecordings(options: RecordingsOptions): Recordings {
  const { dataDir, log, clock, maxFileBytes, maxBytes, keptMs } = options;
  const folder = createRecordingFolder(dataDir);
  const running = new Map<string, Recording>();
  /** Of all files, as far as is known. */
  let totalBytes = 0;
  let pruning: Promise<void> | undefined;

  async function sizes(): Promise<readonly (RecordingFile & { bytes: number })[]> {
    return Promise.all(
      (await folder.list()).map(async (file) => ({ ...file, bytes: await sizeOf(file).catch(() => 0) })),
    );
  }

  async function sizeOf(file: RecordingFile): Promise<number> {
    const handle = await folder.open(file);
    try {
      return (await handle.stat()).size;
    } finally {
      await handle.close();
    }
  }

  const prune = () => {
    pruning ??= pruneNow().finally(() => {
      pruning = undefined;
    });
    return pruning;
  };

  async function pruneNow(): Promise<void> {
    const files = await sizes();
    const isOpen = (id: string) => running.has(id);
    const gone = choosePruned(files, { nowMs: clock.now(), keptMs, maxBytes, isOpen });
    for (const file of gone) await folder.remove(file);
    const bytesOf = (list: typeof files) => list.reduce((sum, { bytes }) => sum + bytes, 0);
    totalBytes = bytesOf(files) - bytesOf(gone);
    if (gone.length > 0) log.info({ count: gone.length, bytes: bytesOf(gone) }, 'recordings were pruned');
  }

  const pruneQuietly = () =>
    prune().catch((error) => log.warn({ err: error }, 'recordings could not be pruned'));

  const isOverLimit = () => maxBytes > 0 && totalBytes >= maxBytes;

  async function open(facts: RecordingFacts, mode: RecordingMode): Promise<Recording> {
    if (isOverLimit()) await prune();
    if (isOverLimit()) throw new RecordingImpossible('the recordings that are being written fill their room');
    const startedAtMs = clock.now();
    const header = headerLine({ facts, mode, startedAtMs });
    const headerBytes = Buffer.byteLength(header);
    const handle = await folder.create(facts.id, startedAtMs);
    try {
      await handle.appendFile(header);
    } catch (error) {
      await handle.close().catch(() => {});
      const begun = await findFile(facts.id);
      if (begun) await folder.remove(begun).catch(() => {});
      throw error;
    }
    totalBytes += headerBytes;
    const begunAtMs = performance.now();
    const failure = new AbortController();
    const writer = createRecordingWriter({
      handle,
      headerBytes,
      mode,
      elapsed: () => (performance.now() - begunAtMs) / 1000,
      maxBufferedBytes,
      maxFileBytes,
      onWritten: (bytes) => {
        totalBytes += bytes;
        if (isOverLimit()) void pruneQuietly();
      },
      onFailure: (error) => {
        log.warn({ err: error, recording: facts.id }, 'a recording cannot be written any more');
        failure.abort(reasonOf(error));
      },
    });
    let finished: Promise<void> | undefined;
    const recording: Recording = {
      id: facts.id,
      mode,
      write: writer.write,
      failed: failure.signal,
      finish(end) {
        finished ??= writer.end(JSON.stringify({ end })).finally(() => running.delete(facts.id));
        return finished;
      },
    };
    running.set(facts.id, recording);
    return recording;
  }

  const findFile = async (id: string) =>
    isRecordingId(id) ? (await folder.list()).find((file) => file.id === id) : undefined;

  const summaryOf = (file: RecordingFile): Promise<RecordingSummary | undefined> =>
    summarize(folder, file, running.has(file.id));

  const timer = setInterval(() => void pruneQuietly(), pruneEveryMs).unref();
  void pruneQuietly();

  return {
    open: (facts, mode) =>
      open(facts, mode).catch((error) => {
        throw error instanceof RecordingImpossible ? error : new RecordingImpossible(reasonOf(error), error);
      }),
    async list(wanted, limit) {
      const found: RecordingSummary[] = [];
      for (const file of (await folder.list()).toReversed()) {
        if (found.length >= limit) break;
        const summary = await summaryOf(file);
        if (summary && wanted(summary)) found.push(summary);
      }
      return found;
    },
    async find(id) {
      const file = await findFile(id);
      return file && summaryOf(file);
    },
    async read(id) {
      const file = await findFile(id);
      if (!file) throw new Error(`there is no recording ${id}`);
      const handle = await folder.open(file);
      return handle.createReadStream({ highWaterMark: chunkBytes });
    },
    async remove(id) {
      const file = await findFile(id);
      if (!file || running.has(id)) return false;
      const bytes = await sizeOf(file);
      await folder.remove(file);
      totalBytes -= bytes;
      return true;
    },
    prune,
    async close() {
      clearInterval(timer);
      await pruning?.catch(() => {});
      await Promise.all([...running.values()].map((recording) => recording.finish({ gateway: 'stopped' })));
    },
  };
}
