/** The rate of a key's tokens over two gateways on one database. */
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { createTokenRate, type TokenRate } from '../../../src/auth/token-rate.ts';
import { tokenRateAcross } from '../../../src/gateways/token-rate-across.ts';
import { steadyClock } from '../../../src/platform/clock.ts';
import type { OpenGateways } from '../../../src/store/postgres/gateways/open-gateways.ts';
import { openGatewaysOnOneDatabase } from '../../support/gateways-on-one-database.ts';
import { forAllTests } from '../../support/lifetimes.ts';

const both = forAllTests(openGatewaysOnOneDatabase, ({ close }) => close());
const perSecond = 20;
const burst = 40;
let asked = 0;
let key: string;
let count = 0;

function over(others: OpenGateways): TokenRate {
  const own = createTokenRate({ perSecond, burst, clock: steadyClock });
  const spend: OpenGateways['spend'] = (...spent) => {
    asked++;
    return others.spend(...spent);
  };
  return tokenRateAcross({ others: { spend }, own, perSecond, burst });
}
beforeEach(() => {
  key = `key ${count++}`;
  asked = 0;
});

/** How many of so many that come at once are let in. */
const many = async (rate: TokenRate, times: number): Promise<number> =>
  (await Promise.all(Array.from({ length: times }, () => rate.take(key)))).filter((wait) => wait === 0)
    .length;

/** One every few milliseconds, as long as `until` says. Resolves to how many were let in, and when it asked last. */
async function hammer(rate: TokenRate, untilMs: number) {
  let taken = 0;
  let askedAtMs = performance.now();
  while (performance.now() < untilMs) {
    askedAtMs = performance.now();
    if ((await rate.take(key)) === 0) taken++;
    await pause(3);
  }
  return { taken, askedAtMs };
}

const secondsBetween = (startMs: number, endMs: number) => (endMs - startMs) / 1000;
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);

/** Of the burst, and what came until somebody last asked for it; what came until all was over nobody may have been there to take. */
function within20Percent(taken: number, untilLastSeconds: number, untilOverSeconds: number): void {
  expect(taken).toBeGreaterThan((burst + perSecond * untilLastSeconds) * 0.8);
  expect(taken).toBeLessThan((burst + perSecond * untilOverSeconds) * 1.2);
}

it('token-by-two-doors: what comes at both without a pause is let in at the rate of one, within 20 %', async () => {
  const startedAtMs = performance.now();
  const rates = [over(both.here), over(both.there)];
  const hammered = await Promise.all(rates.map((rate) => hammer(rate, startedAtMs + 2_500)));
  within20Percent(
    sumOf(hammered.map(({ taken }) => taken)),
    secondsBetween(startedAtMs, Math.max(...hammered.map(({ askedAtMs }) => askedAtMs))),
    secondsBetween(startedAtMs, performance.now()),
  );
});

it('token-by-two-doors: so is what comes at both in one moment', async () => {
  const startedAtMs = performance.now();
  const taken = await Promise.all([over(both.here), over(both.there)].map((rate) => many(rate, 200)));
  within20Percent(sumOf(taken), 0, secondsBetween(startedAtMs, performance.now()));
});

it('what was taken by one is not there by the other, and fills up again', async () => {
  const [one, other] = [over(both.here), over(both.there)] as const;
  const startedAtMs = performance.now();
  expect(await many(one, burst)).toBe(burst);
  const late = await many(other, burst);
  // Without what has come since.
  expect(late - perSecond * secondsBetween(startedAtMs, performance.now())).toBeLessThan(burst / 2);
  await pause(((10 + late) / perSecond) * 1000);
  expect(await many(other, burst)).toBeGreaterThan(5);
});

it('one who asks all the time costs the database a question four times a second, and not one each time', async () => {
  const rate = over(both.here);
  const startedAtMs = performance.now();
  for (let times = 0; times < 40; times++) {
    expect(await rate.take(key)).toBe(0);
    await pause(50);
  }
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(7 + 4 * secondsBetween(startedAtMs, performance.now()));
});

it('database-away: each counts for itself, nobody is owed what was taken meanwhile', async () => {
  const rate = over(both.there);
  expect(await rate.take(key)).toBe(0);
  both.proxy.cut();
  await expect.poll(() => both.there.ask({}).catch(({ code }) => code)).toBe('store-unavailable');
  const alone = await many(rate, 3 * burst);
  expect(alone).toBeGreaterThanOrEqual(burst - 1);
  expect(alone).toBeLessThan(2 * burst);
  const before = asked;
  await expect.poll(() => asked).toBeGreaterThan(before);
  both.proxy.resume();
  await expect.poll(() => both.there.ask({}).catch(() => undefined)).toEqual(expect.any(Array));
  expect(await many(over(both.here), burst)).toBeGreaterThanOrEqual(burst - 1);
});
