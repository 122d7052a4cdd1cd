/** Slots of two gateways on one database. */
import { beforeEach, expect, it } from 'vitest';
import { slotsAcross } from '../../../src/gateways/slots-across.ts';
import { createSlots, type GiveBack, type SharedSlots } from '../../../src/platform/slots.ts';
import type { OpenGateways } from '../../../src/store/postgres/gateways/open-gateways.ts';
import { keepSilent, openGatewaysOnOneDatabase } from '../../support/gateways-on-one-database.ts';
import { forAllTests } from '../../support/lifetimes.ts';

const both = forAllTests(openGatewaysOnOneDatabase, ({ close }) => close());
/** Longer than a second since the last beat and the time that a silent database is given; shorter than the dead are counted. */
const aloneMs = 4_000;
let here: SharedSlots;
let there: SharedSlots;
let name: string;
let count = 0;

beforeEach(() => {
  const over = (others: OpenGateways) =>
    slotsAcross({
      ...{ others, own: createSlots() },
      isShared: (each) => each.startsWith('shared'),
      aloneMs: () => aloneMs,
    });
  here ??= over(both.here);
  there ??= over(both.there);
  name = `shared ${count++}`;
});

const takeMany = async (slots: SharedSlots, times: number, limit: number): Promise<GiveBack[]> =>
  (await Promise.all(Array.from({ length: times }, () => slots.take(name, limit)))).flatMap(
    (give) => give ?? [],
  );

/** As the database has it. */
const counted = async (): Promise<unknown> =>
  Object.fromEntries(
    (await both.database.query(`SELECT gateway, taken FROM postern_slots WHERE slot = '${name}'`)).map(
      ({ gateway, taken }) => [gateway, taken],
    ),
  );

it('too-many-by-two-doors: of those that both take at once, no more are given than there are', async () => {
  const [mine, theirs] = await Promise.all([takeMany(here, 40, 25), takeMany(there, 40, 25)]);
  expect(mine.length + theirs.length).toBe(25);
  expect(await counted()).toEqual(
    Object.fromEntries(
      [
        ['here', mine.length],
        ['there', theirs.length],
      ].filter(([, taken]) => taken !== 0),
    ),
  );
  for (const give of [...mine, ...theirs]) give();
  await expect.poll(counted).toEqual({});
});

it('what one gives back, the other gets, and none twice', async () => {
  const [first, second] = await takeMany(here, 2, 2);
  expect(await there.take(name, 2)).toBeUndefined();
  first?.();
  first?.();
  await expect.poll(counted).toEqual({ here: 1 });
  expect(await takeMany(there, 3, 2)).toHaveLength(1);
  second?.();
});

it('what is each gateway’s own is not shared', async () => {
  expect(await here.take('own', 1)).toBeDefined();
  expect(await there.take('own', 1)).toBeDefined();
});

it('whoever has one has it, whatever the limit', async () => {
  const gives = [there.adopt(name), there.adopt(name), there.adopt(name)];
  await expect.poll(counted).toEqual({ there: 3 });
  expect(await here.take(name, 3)).toBeUndefined();
  for (const give of gives) give();
  await expect.poll(counted).toEqual({});
  expect(await takeMany(here, 3, 3)).toHaveLength(3);
});

it('any number of takings and givings back leave the count that is right', async () => {
  const held: GiveBack[] = [];
  const work = async (slots: SharedSlots) => {
    for (let round = 0; round < 60; round++) {
      held.push(...(await takeMany(slots, 1 + (round % 4), 12)));
      for (let more = round % 5; more > 0; more--)
        held.splice(Math.floor(Math.random() * held.length), 1)[0]?.();
    }
  };
  await Promise.all([work(here), work(here), work(there), work(there)]);
  expect(held.length).toBeLessThanOrEqual(12);
  const sum = async () =>
    Object.values((await counted()) as Record<string, number>).reduce((all, taken) => all + taken, 0);
  await expect.poll(sum).toBe(held.length);
  for (const give of held) give();
  await expect.poll(counted).toEqual({});
});

it('what a gateway has that died counts no more, and counts again if it did not die', async () => {
  const [give] = await takeMany(there, 1, 1);
  expect(await here.take(name, 1)).toBeUndefined();
  const speakAgain = await keepSilent(both.database, 'there');
  const takeForAMoment = async () => {
    const mine = await here.take(name, 1);
    mine?.();
    return mine !== undefined;
  };
  expect(await takeForAMoment()).toBe(true);
  await speakAgain();
  await expect.poll(takeForAMoment).toBe(false);
  give?.();
});

it('what a gateway has is told anew where the database has lost it', async () => {
  const [give] = await takeMany(there, 1, 1);
  await both.database.query('DELETE FROM postern_gateways');
  await expect.poll(counted).toEqual({ there: 1 });
  expect(await here.take(name, 1)).toBeUndefined();
  give?.();
  await expect.poll(counted).toEqual({});
});

it('database-away: slots are counted here alone for a while, then none is given, and afterwards all are told', async () => {
  const [give] = await takeMany(there, 1, 3);
  both.proxy.stall();
  const alone = await takeMany(there, 5, 3);
  expect(alone).toHaveLength(2);
  give?.();
  await expect.poll(() => both.there.ageMs()).toBeGreaterThan(aloneMs);
  await expect(there.take(name, 3)).rejects.toMatchObject({ code: 'store-unavailable' });
  both.proxy.resume();
  await expect.poll(counted, { timeout: 10_000 }).toEqual({ there: 2 });
  expect(await takeMany(here, 3, 3)).toHaveLength(1);
});
