/** The recordings of this gateway: written by it, listed, read and removed, and kept as long as the operator wants them. */
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import { beginRecording } from './begin-recording.ts';
import { createRecordingFolder, isRecordingId } from './recording-folder.ts';
import type { RecordingMode } from './recording-modes.ts';
import { createRecordingSpace, type RecordingLimits } from './recording-space.ts';
import {
  type Recording,
  type RecordingFacts,
  RecordingImpossible,
  type RecordingSummary,
  type Recordings,
  reasonOf,
} from './recordings.ts';
import { summarize } from './summarize.ts';

export interface RecordingsOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Read at each use. */
  readonly limits: RecordingLimits;
}

const chunkBytes = 64 * 1024;

/** Nothing is made on disk before the first recording. */
export function openRecordings(options: RecordingsOptions): Recordings {
  const { dataDir, clock, log, limits } = options;
  const folder = createRecordingFolder(dataDir);
  const running = new Map<string, Recording>();
  const space = createRecordingSpace({ folder, log, clock, limits, isOpen: (id) => running.has(id) });

  async function open(facts: RecordingFacts, mode: RecordingMode): Promise<Recording> {
    await space.makeRoom();
    const recording = await beginRecording(facts, mode, {
      ...{ folder, log },
      maxFileBytes: limits.maxFileBytes,
      startedAtMs: clock.now(),
      onWritten: space.written,
      onFinished: () => {
        running.delete(facts.id);
        space.finished();
      },
    });
    running.set(facts.id, recording);
    return recording;
  }

  const findFile = async (id: string) =>
    isRecordingId(id) ? (await folder.list()).find((file) => file.id === id) : undefined;

  return {
    open: (facts, mode) =>
      open(facts, mode).catch((error) => {
        throw error instanceof RecordingImpossible ? error : new RecordingImpossible(reasonOf(error), error);
      }),
    async list(wanted, limit) {
      const found: RecordingSummary[] = [];
      for (const file of (await folder.list()).toReversed()) {
        if (found.length >= limit) break;
        const summary = await summarize(folder, file, running.has(file.id));
        if (summary && wanted(summary)) found.push(summary);
      }
      return found;
    },
    async find(id) {
      const file = await findFile(id);
      return file && summarize(folder, file, running.has(id));
    },
    async read(id) {
      const file = await findFile(id);
      if (!file) throw new Error(`there is no recording ${id}`);
      return (await folder.open(file)).createReadStream({ highWaterMark: chunkBytes });
    },
    async remove(id) {
      const file = await findFile(id);
      if (!file || running.has(id)) return false;
      await space.remove(file);
      return true;
    },
    prune: space.prune,
    async close() {
      await space.close();
      await Promise.all([...running.values()].map((recording) => recording.finish({ gateway: 'stopped' })));
    },
  };
}
