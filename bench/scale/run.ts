/**
 * `node bench/scale/run.ts`: how many gateways and what database a million accounts need, by simulation from what
 * measure.ts has measured; writes docs/scale.md and its plot, the same for the same seed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawLines } from '../report/plot-lines.ts';
import { quantile, shown, type Table } from '../report/table.ts';
import { type Costs, getCosts } from './costs.ts';
import { pageOf, type Row } from './page.ts';
import { type Course, loginRate, type Scene, simulate } from './simulate.ts';
import { type World, world } from './world.ts';

const docs = join(import.meta.dirname, '../../docs');
const counts = [2, 3, 4, 5, 6, 8, 12];
const seed = 1;
const deathAtSeconds = 20;

const p99Ms = ({ loginSeconds }: Course) => quantile(loginSeconds, 0.99) * 1000;

/** Seconds from the death until 99 of 100 of its clients are back; undefined: not while it was looked at. */
function secondsAway({ away }: Course): number | undefined {
  const most = Math.max(...away);
  const last = away.findLastIndex((count) => count > most / 100);
  return last + 1 >= away.length ? undefined : last + 1 - deathAtSeconds;
}

function rowOf(costs: Costs, assumed: World, gateways: number): Row {
  const scene: Scene = { gateways, load: 1, seconds: 60, seed };
  const busy = simulate(costs, assumed, scene);
  const death = simulate(costs, assumed, { ...scene, seconds: 240, deathAtSeconds });
  return {
    gateways,
    sessionsEach: assumed.sessions / gateways,
    memoryBytes: costs.gatewayBytes + (assumed.sessions / gateways) * costs.idleConnectionBytes,
    use: busy.gatewayUse,
    useWithoutOne: simulate(costs, assumed, { ...scene, gateways: gateways - 1 }).gatewayUse,
    medianMs: quantile(busy.loginSeconds, 0.5) * 1000,
    p99Ms: p99Ms(busy),
    deathP99Ms: p99Ms(death),
    secondsAway: secondsAway(death),
    refusals: death.refusals,
    lockUse: busy.lockUse,
    databaseUse: busy.databaseUse,
  };
}

/** The shape of a day: a wave whose top is the busiest hour, and whose mean is what peakOverMean says. */
const loadAt = (hour: number): number => {
  const mean = 1 / world.peakOverMean;
  const wave = ((1 + Math.cos(((hour - 14) / 24) * 2 * Math.PI)) / 2) ** (1 / mean - 1);
  return Math.max(0.05, wave);
};

const costs = getCosts();
const rows = counts.map((gateways) => rowOf(costs, world, gateways));
const enough = rows.find(
  ({ useWithoutOne, secondsAway: away }) => useWithoutOne <= world.plannedUse && away !== undefined,
);
if (!enough) throw new Error('more gateways are needed than were looked at');
const day = Array.from({ length: 24 }, (_, hour) => {
  const load = loadAt(hour);
  return {
    hour,
    load,
    course: simulate(costs, world, { gateways: enough.gateways, load, seconds: 60, seed: hour }),
  };
});
const unlike = { ...world, maxStartups: { start: 10, ratePercent: 30, full: 100 } };
const withDefaults = rowOf(costs, unlike, enough.gateways);

const table: Table = {
  ...{ id: 'scale', title: 'Logins by how many gateways there are: 99 of 100 take', unit: 'ms' },
  ...{ better: 'less', along: 'gateways', method: 'simulated' },
  rows: rows.flatMap((row) => [
    { name: 'Postern, busiest hour', at: row.gateways, samples: [row.p99Ms] },
    { name: 'Postern, one dies', at: row.gateways, samples: [row.deathP99Ms] },
  ]),
};
mkdirSync(docs, { recursive: true });
writeFileSync(join(docs, 'scale.svg'), drawLines(table));
const rate = loginRate(world);
writeFileSync(
  join(docs, 'scale.md'),
  pageOf({
    ...{ costs, world, rows, enough, withDefaults, rate },
    day: day
      .filter(({ hour }) => hour % 4 === 2)
      .map(({ hour, load, course }) => [
        `${hour}:00`,
        shown(rate * load),
        shown(world.sessions * load),
        `${shown(course.gatewayUse * 100)} %`,
        shown(p99Ms(course)),
        `${shown(course.lockUse * 100)} %`,
      ]),
  }),
);
