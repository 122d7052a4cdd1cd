import { expect, it } from 'vitest';
import {
  createLaneReader,
  frame,
  frameHeader,
} from '../../../../../../src/targets/container/sidecar/inside/lane-frames.ts';

it('overwritten-beginning: a frame comes whole, though the memory that its parts came in is used again', () => {
  const order = Buffer.from('an order that comes in parts');
  const bytes = Buffer.concat([frameHeader(frame.begin, order.length), order, frameHeader(frame.end, 0)]);
  for (let partBytes = 1; partBytes < bytes.length; partBytes++) {
    const seen: string[] = [];
    const read = createLaneReader(1_000, (kind, whole) => seen.push(`${kind} ${whole}`));
    const memory = Buffer.alloc(partBytes);
    for (let at = 0; at < bytes.length; at += partBytes) {
      const length = bytes.copy(memory, 0, at, at + partBytes);
      read(memory.subarray(0, length));
      memory.fill(0xff);
    }
    expect(seen).toEqual([`${frame.begin} ${order}`, `${frame.end} `]);
  }
});
