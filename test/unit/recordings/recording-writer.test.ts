import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../../src/recordings/asciicast.ts';
import type { RecordingMode } from '../../../src/recordings/recording-modes.ts';
import { createRecordingWriter, type RecordingHandle } from '../../../src/recordings/recording-writer.ts';

/** A file on a disk that writes when it is let, and breaks when it is told to. */
function slowDisk() {
  let text = '';
  let gate: PromiseWithResolvers<void> | undefined;
  let fault: NodeJS.ErrnoException | undefined;
  const handle = {
    appendFile: async (more: string) => {
      await gate?.promise;
      if (fault) {
        text += more.slice(0, 7);
        throw fault;
      }
      text += more;
    },
    truncate: async (bytes: number) => {
      text = text.slice(0, bytes);
    },
    datasync: async () => {},
    close: async () => {},
  } as RecordingHandle;
  return {
    handle,
    text: () => text,
    events: () => text.trimEnd().split('\n').slice(1).map(parseEvent),
    stop: () => {
      gate = Promise.withResolvers();
    },
    go: () => {
      gate?.resolve();
      gate = undefined;
    },
    fail: (code: string) => {
      fault = Object.assign(new Error(code), { code });
    },
  };
}

const header = '{"version":2}\n';

async function open(mode: RecordingMode, more: { maxFileBytes?: number } = {}) {
  const disk = slowDisk();
  await disk.handle.appendFile(header);
  const failures: unknown[] = [];
  const writer = createRecordingWriter({
    handle: disk.handle,
    headerBytes: header.length,
    mode,
    elapsed: () => 1,
    maxBufferedBytes: 100,
    maxFileBytes: more.maxFileBytes ?? 1e6,
    onWritten: () => {},
    onFailure: (error) => failures.push(error),
  });
  return { disk, writer, failures };
}

const forty = 'x'.repeat(40);

it('what is written as soon as there is room again is written, and the end behind it', async () => {
  const { disk, writer } = await open('required');
  disk.stop();
  const room = writer.write('o', 'x'.repeat(200));
  disk.go();
  await room;
  writer.write('o', 'at once');
  await writer.end('{"end":{}}');
  expect(disk.events().map((event) => event?.text)).toEqual(['x'.repeat(200), 'at once', '{"end":{}}']);
});

describe('a recording on a disk that is too slow', () => {
  it('leaves out what may be left out, keeps a bounded rest, and says so where it is missing', async () => {
    const { disk, writer } = await open('on');
    disk.stop();
    for (let n = 0; n < 1_000; n++) expect(writer.write('o', forty)).toBeUndefined();
    disk.go();
    await expect.poll(() => disk.events().length).toBeGreaterThan(2);
    writer.write('o', 'after');
    await writer.end('{"end":{}}');
    const events = disk.events();
    expect(events.filter((event) => event?.text === forty)).toHaveLength(2);
    expect(events.map((event) => event?.code)).toEqual(['o', 'o', 'm', 'o', 'x']);
    expect(events[2]?.text).toBe(`${998 * 40} bytes are left out: the disk was too slow`);
  });

  it('is waited for where nothing may be left out', async () => {
    const { disk, writer } = await open('required');
    disk.stop();
    expect(writer.write('o', forty)).toBeUndefined();
    expect(writer.write('o', forty)).toBeInstanceOf(Promise);
    const wait = writer.write('o', forty);
    let waited = false;
    wait?.then(() => {
      waited = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(waited).toBe(false);
    disk.go();
    await wait;
    await writer.end('{}');
    expect(disk.events().filter((event) => event?.text === forty)).toHaveLength(3);
  });
});

describe.each(['on', 'required'] as const)('a recording that is %s and cannot be written', (mode) => {
  it('ends with its last whole line, is told of once, and holds nobody up', async () => {
    const { disk, writer, failures } = await open(mode);
    writer.write('o', 'kept');
    await expect.poll(() => disk.events()).toHaveLength(1);
    disk.fail('ENOSPC');
    for (let n = 0; n < 10; n++) await writer.write('o', forty);
    await writer.end('{}');
    expect(failures).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
    expect(disk.text()).toBe(`${header}[1.000000,"o","kept"]\n`);
    expect(writer.write('o', 'late')).toBeUndefined();
  });

  it('is no longer than one may be', async () => {
    const { disk, writer, failures } = await open(mode, { maxFileBytes: header.length + 150 });
    for (let n = 0; n < 5; n++) {
      await writer.write('o', forty);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.end('{}');
    expect(failures).toEqual([expect.objectContaining({ reason: 'the recording is as long as one may be' })]);
    expect(disk.text().length).toBeLessThanOrEqual(header.length + 150);
    expect(disk.text().endsWith(']\n')).toBe(true);
  });
});
