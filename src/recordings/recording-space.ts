/** How much room recordings take, and what makes room: their age, and the size of all together. */
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock.ts';
import type { RecordingFile, RecordingFolder } from './recording-folder.ts';
import { RecordingImpossible } from './recordings.ts';
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
  readonly folder: RecordingFolder;
  readonly log: Logger;
  readonly clock: Clock;
  /** Read at each use. */
  readonly limits: RecordingLimits;
  /** Being written. */
  readonly isOpen: (id: string) => boolean;
}

export interface RecordingSpace {
  /** So many bytes were written; where that is too much, the oldest recordings go. */
  written(bytes: number): void;
  /** Throws RecordingImpossible where all that there is is being written, and what the disk throws. */
  makeRoom(): Promise<void>;
  /** Throws what the disk throws. */
  prune(): Promise<void>;
  remove(file: RecordingFile): Promise<void>;
  /** One is no more being written: it may have to go. */
  finished(): void;
  close(): Promise<void>;
}

const pruneEveryMs = 10 * 60_000;

export function createRecordingSpace(options: SpaceOptions): RecordingSpace {
  const { folder, log, limits } = options;
  const tally = createTally(limits);
  let pruning: Promise<void> | undefined;
  /** How many recordings have ended, and how many had when there was too much, and all of it being written. */
  let ended = 0;
  let endedAtVainLook = -1;

  async function pruneNow(): Promise<void> {
    const endedBefore = ended;
    const leftBytes = await tally.recount(() => removePruned(options));
    if (leftBytes >= limits.maxBytes) endedAtVainLook = endedBefore;
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
  const pruneIfWorthIt = () => {
    if (tally.isOverLimit() && endedAtVainLook !== ended) pruneQuietly();
  };

  const timer = setInterval(pruneQuietly, pruneEveryMs).unref();
  pruneQuietly();

  return {
    written(bytes) {
      tally.add(bytes);
      pruneIfWorthIt();
    },
    async makeRoom() {
      if (tally.isOverLimit()) await prune();
      if (tally.isOverLimit()) throw new RecordingImpossible('those that are being written fill their room');
    },
    prune,
    async remove(file) {
      const bytes = await sizeOf(folder, file);
      await folder.remove(file);
      tally.add(-bytes);
    },
    finished() {
      ended++;
      pruneIfWorthIt();
    },
    async close() {
      clearInterval(timer);
      await pruning?.catch(() => {});
    },
  };
}

/** How much there is: all files when they were last counted, and what came and went since. */
function createTally(limits: RecordingLimits) {
  let countedBytes = 0;
  let sinceBytes = 0;
  return {
    add(bytes: number) {
      sinceBytes += bytes;
    },
    isOverLimit: () => limits.maxBytes > 0 && countedBytes + sinceBytes >= limits.maxBytes,
    /** What comes meanwhile may be counted twice, until the next time. */
    async recount(count: () => Promise<number>): Promise<number> {
      const before = sinceBytes;
      countedBytes = await count();
      sinceBytes -= before;
      return countedBytes;
    },
  };
}

/** Removes what is older, or more, than is kept; resolves to the bytes of the rest. */
async function removePruned({ folder, log, clock, limits, isOpen }: SpaceOptions): Promise<number> {
  const files: (RecordingFile & { readonly bytes: number })[] = [];
  for (const file of await folder.list()) {
    files.push({ ...file, bytes: await sizeOf(folder, file).catch(() => 0) });
  }
  const { keptMs, maxBytes } = limits;
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
