import { describe, expect, it } from 'vitest';
import { createFrameReader, FrameTooLong, writeFrame } from '../../../src/ipc/frames.ts';

const messages = [{ a: 'é💥\ud800\n' }, {}, { list: Array.from({ length: 500 }, (_, index) => index) }];

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const stream = Buffer.concat(messages.map(writeFrame));
    for (let size = 1; size <= stream.length; size += size < 20 ? 1 : 97) {
      const seen: unknown[] = [];
      const read = createFrameReader(
        () => 10_000,
        (text) => seen.push(JSON.parse(text)),
      );
      for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size));
      expect(seen).toEqual(messages);
    }
  });

  it('that are too long are refused at their head, before anything of them is gathered', () => {
    const read = createFrameReader(
      () => 100,
      () => {},
    );
    expect(() => read(Buffer.from([0, 0, 0, 101]))).toThrow(FrameTooLong);
  });
});
