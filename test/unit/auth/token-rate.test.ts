import { expect, it } from 'vitest';
import { createTokenRate, type RememberedRate } from '../../../src/auth/token-rate.ts';

const clock = { nowMs: 0, now: () => clock.nowMs };
const open = (remembered?: RememberedRate) =>
  createTokenRate({ perSecond: 0.5, burst: 2, clock, remembered });

it('so many at once, then one as time goes by; each key has its own', async () => {
  const rate = open();
  expect([await rate.take('k'), await rate.take('k'), await rate.take('k')]).toEqual([0, 0, 2]);
  expect(await rate.take('other')).toBe(0);
  clock.nowMs += 2_000;
  expect([await rate.take('k'), await rate.take('k')]).toEqual([0, 2]);
});

it('who takes the place of another, by plain data, goes on where that was', async () => {
  const before = open();
  for (let time = 0; time < 2; time++) await before.take('used');
  await before.take('once');
  clock.nowMs += 1_000;
  const memory = JSON.parse(JSON.stringify(before.remembered()));
  clock.nowMs = 77;
  const after = open(memory);
  expect([await after.take('used'), await after.take('once'), await after.take('once')]).toEqual([1, 0, 1]);
});
