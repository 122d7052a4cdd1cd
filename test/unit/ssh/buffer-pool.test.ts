import { describe, expect, it } from 'vitest';
import { leavePool, outsidePool } from '../../../src/ssh/buffer-pool.ts';

const standsAlone = (buffer: Buffer) => buffer.buffer.byteLength === buffer.length;

describe('what is made outside the pool', () => {
  it('stands alone, and what is made afterwards does not', () => {
    const size = Buffer.poolSize;
    expect(outsidePool(() => Buffer.allocUnsafe(16)).buffer.byteLength).toBe(16);
    expect(standsAlone(Buffer.allocUnsafe(16))).toBe(false);
    expect(Buffer.poolSize).toBe(size);
  });

  it('when making it fails, the pool is there again', () => {
    const size = Buffer.poolSize;
    const fail = () => {
      throw new Error('no');
    };
    expect(() => outsidePool(fail)).toThrow('no');
    expect(Buffer.poolSize).toBe(size);
  });
});

it('what leaves the pool keeps its bytes, and what is no buffer stays as it is', () => {
  const alone = Buffer.alloc(4);
  const holder = { pooled: Buffer.concat([Buffer.from('kept')]), alone, text: 'text', none: undefined };
  expect(standsAlone(holder.pooled)).toBe(false);
  leavePool(holder);
  expect(holder.pooled.toString()).toBe('kept');
  expect(standsAlone(holder.pooled)).toBe(true);
  expect(holder.alone).toBe(alone);
  expect(holder).toMatchObject({ text: 'text', none: undefined });
});
