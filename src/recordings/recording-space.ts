/**
 * Which recordings are being written, how much room all take, and what makes room: their age, and the size of all
 * together. One for the whole gateway, whichever of its processes write; what is asked of it is plain data.
 */
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import {
  createRecordingFolder,
  isRecordingId,
  type RecordingFile,
  type RecordingFolder,
} from './recording-folder.ts';
import { reasonOf } from './recordings.ts';
import { choosePruned } from './retention.ts';

export interface RecordingLimits {
  /** Of one recording. */
  readonly maxFileBytes: number;
  /** Of all; 0: no limit. */
  readonly maxBytes: number;
  /** 0: for ever. */
  readonly keptMs: number;
}

export interface SpaceOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Read at each use. */
  readonly limits: RecordingLimits;
  /** Nothing is removed before: others may have to say first what they are writing. */
  readonly ready?: Promise<unknown> | undefined;
}

export interface RecordingSpace {
  /** It counts as being written from now on. Resolves to why it may not, for people, where it may not: then it does not. */
  begin(id: string): Promise<string | undefined>;
  /** So many bytes were written; where that is too much, the oldest recordings go. */
  written(bytes: number): void;
  /** It is no more being written: it may have to go. */
  finished(id: string): void;
  /** Which are being written. */
  listRunning(): Promise<readonly string[]>;
  /** Removes a file; false where there is none, or it is being written. Throws what the disk throws. */
  remove(id: string): Promise<boolean>;
  /** Throws what the disk throws. */
  prune(): Promise<void>;
}

export interface OwnRecordingSpace extends RecordingSpace {
  /** It is being written already: whoever counted it is gone. */
  adopt(id: string): void;
  close(): Promise<void>;
}

const pruneEveryMs = 10 * 60_000;
/** Of all the room, what is made free when there is none: each look is at every file. */
const freedShare = 1 / 32;

export function createRecordingSpace(options: SpaceOptions): OwnRecordingSpace {
  const folder = createRecordingFolder(options.dataDir);
  const running = new Set<string>();
  const tally = createTally(options.limits);
  const pruning = createPruning({ ...options, folder, isOpen: (id) => running.has(id) }, tally);
  return {
    written(bytes) {
      tally.add(bytes);
      pruning.pruneIfWorthIt();
    },
    async begin(id) {
      try {
        // The first look may have been under way, and not have seen what was written last.
        for (let looks = 0; looks < 2 && tally.isOverLimit() && !pruning.isVain(); looks++) {
          await pruning.prune();
        }
      } catch (error) {
        return reasonOf(error);
      }
      if (pruning.isVain()) return 'those that are being written fill their room';
      running.add(id);
      return undefined;
    },
    adopt: (id) => void running.add(id),
    listRunning: async () => [...running],
    prune: pruning.prune,
    async remove(id) {
      await options.ready;
      const file = isRecordingId(id) ? (await folder.list()).find((each) => each.id === id) : undefined;
      if (!file || running.has(id)) return false;
      const bytes = await sizeOf(folder, file);
      await folder.remove(file);
      tally.add(-bytes);
      return true;
    },
    finished(id) {
      running.delete(id);
      pruning.noteEnded();
      pruning.pruneIfWorthIt();
    },
    close: pruning.close,
  };
}

/** Makes room at times, and when there is too much; one at a time. */
function createPruning(options: Pruned, tally: Tally) {
  const { log, limits, ready } = options;
  let pruning: Promise<void> | undefined;
  /** How many recordings have ended, and how many had when there was too much, and all of it being written. */
  let ended = 0;
  let endedAtVainLook = -1;

  async function pruneNow(): Promise<void> {
    await ready;
    const endedBefore = ended;
    const leftBytes = await tally.recount(() => removePruned(options));
    if (leftBytes > limits.maxBytes) endedAtVainLook = endedBefore;
  }

  const prune = () => {
    pruning ??= pruneNow().finally(() => {
      pruning = undefined;
    });
    return pruning;
  };
  const pruneQuietly = () =>
    void prune().then(pruneIfWorthIt, (error) => log.warn({ err: error }, 'recordings could not be pruned'));
  /** Where all is being written, each write would look in vain again. */
  const isVain = () => tally.isOverLimit() && endedAtVainLook === ended;
  const pruneIfWorthIt = () => {
    if (tally.isOverLimit() && !isVain()) pruneQuietly();
  };

  const timer = setInterval(pruneQuietly, pruneEveryMs).unref();
  pruneQuietly();

  return {
    prune,
    pruneIfWorthIt,
    isVain,
    noteEnded() {
      ended++;
    },
    async close() {
      clearInterval(timer);
      await pruning?.catch(() => {});
    },
  };
}

type Tally = ReturnType<typeof createTally>;

/** How much there is: all files when they were last counted, and what came and went since. */
function createTally(limits: RecordingLimits) {
  let countedBytes = 0;
  let sinceBytes = 0;
  return {
    add(bytes: number) {
      sinceBytes += bytes;
    },
    isOverLimit: () => limits.maxBytes > 0 && countedBytes + sinceBytes > limits.maxBytes,
    /** What comes meanwhile may be counted twice, until the next time. */
    async recount(count: () => Promise<number>): Promise<number> {
      const before = sinceBytes;
      countedBytes = await count();
      sinceBytes -= before;
      return countedBytes;
    },
  };
}

interface Pruned extends SpaceOptions {
  readonly folder: RecordingFolder;
  readonly isOpen: (id: string) => boolean;
}

/** Removes what is older, or more, than is kept; resolves to the bytes of the rest. */
async function removePruned({ folder, log, clock, limits, isOpen }: Pruned): Promise<number> {
  const files: (RecordingFile & { readonly bytes: number })[] = [];
  for (const file of await folder.list()) {
    files.push({ ...file, bytes: await sizeOf(folder, file).catch(() => 0) });
  }
  const { keptMs } = limits;
  const isOver = bytesOf(files) > limits.maxBytes;
  const maxBytes = isOver ? Math.ceil(limits.maxBytes * (1 - freedShare)) : limits.maxBytes;
  const gone = choosePruned(files, { nowMs: clock.now(), keptMs, maxBytes, isOpen });
  for (const file of gone) await folder.remove(file);
  if (gone.length > 0) log.info({ count: gone.length, bytes: bytesOf(gone) }, 'recordings were pruned');
  return bytesOf(files) - bytesOf(gone);
}

const bytesOf = (list: readonly { readonly bytes: number }[]) =>
  list.reduce((sum, { bytes }) => sum + bytes, 0);

async function sizeOf(folder: RecordingFolder, file: RecordingFile): Promise<number> {
  const handle = await folder.open(file);
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}
