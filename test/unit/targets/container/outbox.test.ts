import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '../../../../src/targets/container/outbox.ts';

/** A reader that takes a piece when told to. */
function slowReader() {
  const taken: string[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString());
      waiting.push(done);
    },
  });
  const takeOne = async () => {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { stream, taken, takeOne };
}

describe('the outbox', () => {
  it('keeps the order over both outputs, at the pace of the reader', async () => {
    const out = slowReader();
    const err = slowReader();
    const outbox = createOutbox(0, () => {});
    outbox.push(out.stream, Buffer.from('1'));
    outbox.push(err.stream, Buffer.from('2'));
    outbox.push(out.stream, Buffer.from('3'));
    expect([out.taken, err.taken]).toEqual([['1'], []]);
    await out.takeOne();
    expect([out.taken, err.taken]).toEqual([['1'], ['2']]);
    await err.takeOne();
    expect(out.taken).toEqual(['1', '3']);
    await out.takeOne();
    await outbox.flushed();
    expect(outbox.bytes).toBe(0);
  });

  it('counts what waits, tiny pieces for more than their bytes, and tells when there is room', async () => {
    const reader = slowReader();
    let rooms = 0;
    const outbox = createOutbox(1_000, () => {
      rooms += 1;
    });
    for (let piece = 0; piece < 10_000; piece++) outbox.push(reader.stream, Buffer.from('x'));
    expect(outbox.bytes).toBeGreaterThan(2_000_000);
    expect(rooms).toBe(0);
    for (let piece = 0; piece < 10_000; piece++) await reader.takeOne();
    await outbox.flushed();
    expect([outbox.bytes, rooms, reader.taken.length]).toEqual([0, 1, 10_000]);
  });

  it('is empty at once when the reader is gone, and stays so', async () => {
    const reader = slowReader();
    const outbox = createOutbox(0, () => {});
    outbox.push(reader.stream, Buffer.alloc(100));
    outbox.push(reader.stream, Buffer.alloc(100));
    outbox.discard();
    await outbox.flushed();
    outbox.push(reader.stream, Buffer.alloc(100));
    expect([outbox.bytes, reader.taken.length]).toEqual([0, 1]);
  });

  it('a reader that breaks while it is waited for holds nobody', async () => {
    const reader = slowReader();
    reader.stream.on('error', () => {});
    const outbox = createOutbox(0, () => {});
    outbox.push(reader.stream, Buffer.alloc(100));
    outbox.push(reader.stream, Buffer.alloc(100));
    reader.stream.destroy(new Error('broken'));
    await outbox.flushed();
    expect(outbox.bytes).toBe(0);
  });
});
