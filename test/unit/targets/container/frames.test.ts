import { describe, expect, it } from 'vitest';
import { createFrameReader } from '../../../../src/targets/container/frames.ts';

const frame = (stream: number, data: string | Buffer) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, Buffer.from(data)]);
};

function read(chunks: readonly Buffer[]) {
  const seen = { stdout: '', stderr: '' };
  const feed = createFrameReader((stream, data) => {
    seen[stream] += data.toString('latin1');
  });
  for (const chunk of chunks) feed(chunk);
  return seen;
}

describe("the engine's framing", () => {
  const bytes = Buffer.concat([
    frame(1, 'out'),
    frame(2, 'err'),
    frame(1, ''),
    frame(1, 'put'),
    frame(3, '!'),
  ]);

  it('is read alike however it is cut', () => {
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      expect(read(chunks)).toEqual({ stdout: 'output', stderr: 'err!' });
    }
  });

  it('two hundred thousand tiny frames in one chunk neither overflow the stack nor take long', () => {
    const started = Date.now();
    const { stdout } = read([Buffer.concat(Array.from({ length: 200_000 }, () => frame(1, 'x')))]);
    expect(stdout.length).toBe(200_000);
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it.each([
    ['an unknown stream', Buffer.from([9, 0, 0, 0, 0, 0, 0, 1, 65])],
    ['an absurd length', Buffer.from([1, 0, 0, 0, 255, 255, 255, 255])],
    ['text', Buffer.from('HTTP/1.1 500 Internal Server Error')],
  ])('%s is no framing', (_what, chunk) => {
    expect(() => read([chunk])).toThrow(/framing/);
  });
});
