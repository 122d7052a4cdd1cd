import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomId } from '../../../src/platform/ids.ts';
import { recordingsFolder } from '../../../src/recordings/recording-folder.ts';
import { createRecordingSpace, type OwnRecordingSpace } from '../../../src/recordings/recording-space.ts';

const maxBytes = 100_000;
let dataDir: string;
let space: OwnRecordingSpace;
let prunings: number;

const store = (bytes: number, startedAtMs = Date.now()) =>
  writeFile(
    join(recordingsFolder(dataDir), `${String(startedAtMs).padStart(13, '0')}-${randomId()}.cast`),
    Buffer.alloc(bytes),
  );
const kept = () => readdir(recordingsFolder(dataDir));

/** As many as there is room for, which have ended. */
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-space-'));
  await mkdir(recordingsFolder(dataDir));
  for (let each = 0; each < 100; each++) await store(1_000, each);
  prunings = 0;
  const write = (line: string) => {
    if (line.includes('recordings were pruned')) prunings++;
  };
  space = createRecordingSpace({
    dataDir,
    log: pino({ level: 'info' }, { write }),
    clock: { now: Date.now },
    limits: { maxFileBytes: 1e9, maxBytes, keptMs: 0 },
  });
  await space.prune();
});
afterEach(async () => {
  await space.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('full-archive: where old recordings take all the room', () => {
  it('a new one begins, however much is written while room is made for it', async () => {
    space.written(500);
    const begun = space.begin(randomId());
    const writing = setInterval(() => space.written(2_000), 1);
    expect(await begun).toBeUndefined();
    clearInterval(writing);
  });

  it('room is made for many at a time, not for each write anew', async () => {
    for (let each = 0; each < 30; each++) {
      await store(1_000);
      space.written(1_000);
      // As if it had been made.
      await space.begin(randomId());
    }
    expect(prunings).toBeGreaterThan(0);
    expect(prunings).toBeLessThan(15);
    await space.prune();
    expect((await kept()).length).toBeGreaterThanOrEqual(96);
    expect((await kept()).length).toBeLessThanOrEqual(100);
  });
});
