import { expect, it } from 'vitest';
import { takeRandom } from '../../../src/platform/random-stock.ts';

it('gives out each byte once, also where the stock ends', () => {
  const seen = new Set<string>();
  for (let each = 0; each < 5_000; each++) seen.add(Buffer.from(takeRandom(13)).toString('hex'));
  expect(seen.size).toBe(5_000);
});

it('gives as many as are asked for', () => {
  for (const count of [0, 1, 255, 16_384]) expect(takeRandom(count)).toHaveLength(count);
  expect(() => takeRandom(16_385)).toThrow(RangeError);
});
