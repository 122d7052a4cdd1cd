import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordingsFolder } from '../../../src/recordings/recording-folder.ts';
import type { RecordingLimits } from '../../../src/recordings/recording-space.ts';
import { RecordingImpossible, type Recordings } from '../../../src/recordings/recordings.ts';
import { openOwnRecordings, parseCast, recordingFacts } from '../../support/recordings.ts';

let dataDir: string;
let nowMs: number;
let opened: Recordings[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-recordings-'));
  nowMs = Date.parse('2026-11-21T09:00:00.000Z');
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((recordings) => recordings.close()));
  await rm(dataDir, { recursive: true });
});

function start(more: Partial<RecordingLimits> = {}): Recordings {
  const recordings = openOwnRecordings({
    dataDir,
    log: pino({ level: 'silent' }),
    clock: { now: () => nowMs },
    limits: { maxFileBytes: 1e6, maxBytes: 0, keptMs: 0, ...more },
  });
  opened.push(recordings);
  return recordings;
}

const idOf = (n: number) => 'a'.repeat(15) + 'abcdefgh'[n];
const facts = (n: number, more: object = {}) => ({ ...recordingFacts, id: idOf(n), ...more });
const all = () => true;

async function textOf(recordings: Recordings, id: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await recordings.read(id)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('recordings', () => {
  it('are listed newest first, with what their headers and ends say, as many as are asked for', async () => {
    const recordings = start();
    for (const n of [0, 1, 2]) {
      const recording = await recordings.open(
        facts(n, { account: `account${n}` }),
        n === 2 ? 'required' : 'on',
      );
      recording.write('o', 'text');
      if (n < 2) await recording.finish({ exitStatus: n });
      nowMs += 1_000;
    }
    const listed = await recordings.list(all, 10);
    expect(listed.map(({ id, state, end, required }) => [id, state, end, required])).toEqual([
      [idOf(2), 'running', undefined, true],
      [idOf(1), 'finished', { exitStatus: 1 }, false],
      [idOf(0), 'finished', { exitStatus: 0 }, false],
    ]);
    expect(listed[2]).toMatchObject({
      ...facts(0),
      account: 'account0',
      startedAt: '2026-11-21T09:00:00.000Z',
    });
    expect(await recordings.list(({ account }) => account === 'account0', 10)).toHaveLength(1);
    expect(await recordings.list(all, 2)).toHaveLength(2);
  });

  it('are removed, but not while they are written', async () => {
    const recordings = start();
    const recording = await recordings.open(facts(0), 'on');
    expect(await recordings.remove(idOf(0))).toBe(false);
    await recording.finish({});
    expect(await recordings.remove(idOf(0))).toBe(true);
    expect(await recordings.remove(idOf(0))).toBe(false);
    expect(await recordings.find(idOf(0))).toBeUndefined();
    await expect(recordings.read(idOf(0))).rejects.toThrow('no recording');
  });

  it('kill -9: what a gateway left is whole so far, and shown as unfinished', async () => {
    const recording = await start().open(facts(0), 'on');
    recording.write('o', 'so far\r\n');
    await expect
      .poll(async () => (await textOf(opened[0] as Recordings, idOf(0))).includes('so far'))
      .toBe(true);
    const next = start();
    const file = join(recordingsFolder(dataDir), (await readdir(recordingsFolder(dataDir)))[0] ?? '');
    expect(parseCast(await textOf(next, idOf(0))).output).toBe('so far\r\n');
    await appendFile(file, '[2.0,"o","cut of');
    expect(await next.find(idOf(0))).toMatchObject({ state: 'unfinished', command: 'id' });
    await recording.finish({});
  });

  it('are ended when the gateway ends, and say so', async () => {
    const recordings = start();
    await recordings.open(facts(0), 'on');
    await recordings.close();
    expect(await start().find(idOf(0))).toMatchObject({ state: 'finished', end: { gateway: 'stopped' } });
  });

  it('forged: a file whose header is of another id, or of nobody, is no recording', async () => {
    const recordings = start();
    await (await recordings.open(facts(0), 'on')).finish({});
    const folder = recordingsFolder(dataDir);
    await writeFile(join(folder, `0000000000001-${idOf(1)}.cast`), await textOf(recordings, idOf(0)));
    await writeFile(join(folder, `0000000000002-${idOf(2)}.cast`), 'x\n'.repeat(10));
    await writeFile(join(folder, `0000000000003-${idOf(3)}.cast`), '');
    expect((await recordings.list(all, 10)).map(({ id }) => id)).toEqual([idOf(0)]);
  });
});

describe('old recordings', () => {
  const day = 86_400_000;

  it('are removed by age, except what is written', async () => {
    const recordings = start({ keptMs: 2 * day });
    const running = await recordings.open(facts(0), 'on');
    await (await recordings.open(facts(1), 'on')).finish({});
    nowMs += day;
    await (await recordings.open(facts(2), 'on')).finish({});
    nowMs += 1.5 * day;
    await recordings.prune();
    expect((await recordings.list(all, 10)).map(({ id }) => id)).toEqual([idOf(2), idOf(0)]);
    await running.finish({});
    await recordings.prune();
    expect((await recordings.list(all, 10)).map(({ id }) => id)).toEqual([idOf(2)]);
  });

  it('make room for new ones by size; where all that there is is being written there is none', async () => {
    const recordings = start({ maxBytes: 10_000 });
    const write = async (n: number) => {
      const recording = await recordings.open(facts(n), 'on');
      recording.write('o', 'x'.repeat(6_000));
      nowMs += 1;
      return recording;
    };
    await (await write(0)).finish({});
    await (await write(1)).finish({});
    await recordings.prune();
    expect((await recordings.list(all, 10)).map(({ id }) => id)).toEqual([idOf(1)]);
    const running = [await write(2), await write(3)];
    const written = async () => (await recordings.list(all, 10)).map(({ bytes }) => bytes > 6_000);
    await expect.poll(written).toEqual([true, true]);
    await expect(recordings.open(facts(4), 'required')).rejects.toThrow(RecordingImpossible);
    await Promise.all(running.map((recording) => recording.finish({})));
    await (await recordings.open(facts(4), 'required')).finish({});
  });
});
