/** The recordings of this gateway: written by this process of it, listed, read and removed, and kept as long as the operator wants them. */
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import { beginRecording } from './begin-recording.ts';
import { createRecordingFolder, isRecordingId } from './recording-folder.ts';
import type { RecordingMode } from './recording-modes.ts';
import type { RecordingLimits, RecordingSpace } from './recording-space.ts';
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
  /** For the headers; unset where there is but one. */
  readonly gateway?: string | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  /** Read at each use. */
  readonly limits: Pick<RecordingLimits, 'maxFileBytes'>;
  readonly space: RecordingSpace;
}

const chunkBytes = 64 * 1024;

/** Nothing is made on disk before the first recording. */
export function openRecordings(options: RecordingsOptions): Recordings {
  const { dataDir, clock, log, limits, space, gateway } = options;
  const folder = createRecordingFolder(dataDir);
  const running = new Map<string, Recording>();

  async function open(facts: RecordingFacts, mode: RecordingMode): Promise<Recording> {
    const refused = await space.begin(facts.id);
    if (refused !== undefined) throw new RecordingImpossible(refused);
    const onFinished = () => {
      running.delete(facts.id);
      space.finished(facts.id);
    };
    const placed = gateway === undefined ? facts : { ...facts, gateway };
    const recording = await beginRecording(placed, mode, {
      ...{ folder, log },
      maxFileBytes: limits.maxFileBytes,
      startedAtMs: clock.now(),
      onWritten: space.written,
      onFinished,
    }).catch((error: unknown) => {
      onFinished();
      throw error;
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
      const isRunning = new Set(await space.listRunning());
      for (const file of (await folder.list()).toReversed()) {
        if (found.length >= limit) break;
        const summary = await summarize(folder, file, isRunning.has(file.id));
        if (summary && wanted(summary)) found.push(summary);
      }
      return found;
    },
    async find(id) {
      const file = await findFile(id);
      return file && summarize(folder, file, (await space.listRunning()).includes(id));
    },
    async read(id) {
      const file = await findFile(id);
      if (!file) throw new Error(`there is no recording ${id}`);
      return (await folder.open(file)).createReadStream({ highWaterMark: chunkBytes });
    },
    remove: space.remove,
    prune: space.prune,
    async close() {
      await Promise.all([...running.values()].map((recording) => recording.finish({ gateway: 'stopped' })));
    },
  };
}
