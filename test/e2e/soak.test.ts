/**
 * Three minutes of mixed work under random kills of clients, containers and the Docker Engine; `npm run soak` takes
 * half an hour. POSTERN_SOAK_SEED repeats a run's choices, as far as time lets it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/container-processes.ts';
import { images } from '../support/engine.ts';
import { type Holdings, type MeasuredGateway, startMeasuredGateway } from '../support/measured-gateway.ts';
import { type OwnEngine, startOwnEngine } from '../support/own-engine.ts';
import { createRandom } from '../support/soak/random.ts';
import {
  containersOfGateway,
  createWorld,
  describeFailure,
  findLostWrites,
  startContainers,
  type Tally,
  workAndKill,
} from '../support/soak/soak.ts';
import { type SoakWorld, works } from '../support/soak/works.ts';

const minutes = Number(process.env['POSTERN_SOAK_MINUTES'] ?? 3);
const seed = Number(process.env['POSTERN_SOAK_SEED'] ?? Date.now() % 1_000_000);
/** First, what is loaded and compiled once: a leak shows in what comes after. */
const warmUpMs = Math.min(minutes * 10_000, 60_000);
/**
 * A work leaves nothing, so none of some 1,500 in three minutes may keep 4 kB, and none of 15,000 in thirty 400 bytes.
 * What is compiled late, and lists that have grown once, take two or three of these.
 */
const heapBarMib = 6;
/** The allocator's and the collector's slack: pages that are free and not given back. */
const residentBarMib = 60;
/** What is opened once, when it is first needed, such as the news of the engine. */
const openedLate = 3;

describe(`${minutes} minutes of work and kills, seed ${seed}`, () => {
  let engine: OwnEngine;
  let gateway: MeasuredGateway;
  let world: SoakWorld;
  let atFirst: Holdings;
  let afterWarmUp: Holdings;
  let atLast: Holdings;
  let tallies: ReadonlyMap<string, Tally>;

  /** Nobody works, and what the gateway prepared has ended with the containers; they run again afterwards. */
  async function rest(): Promise<Holdings> {
    await engine.docker('kill', 'soak-one', 'soak-two');
    const isBack = async () => {
      const { descriptors, children } = await gateway.holdings();
      return descriptors <= atFirst.descriptors + openedLate && children <= atFirst.children;
    };
    await until(async () => (await containersOfGateway(engine)).length === 0 && (await isBack()), 90_000);
    const holdings = await gateway.holdings();
    const left = await containersOfGateway(engine);
    await startContainers(engine);
    expect(left).toEqual([]);
    return holdings;
  }

  beforeAll(
    async () => {
      engine = await startOwnEngine([images.busybox]);
      gateway = await startMeasuredGateway(engine.host, 'debug');
      world = await createWorld(engine, gateway, images.busybox, createRandom(seed));
      try {
        atFirst = await gateway.holdings();
        await workAndKill(world, engine, warmUpMs);
        afterWarmUp = await rest();
        tallies = await workAndKill(world, engine, minutes * 60_000 - warmUpMs);
        atLast = await rest();
      } catch (error) {
        console.error(await describeFailure(engine, gateway));
        throw error;
      }
      console.log(`seed ${seed}`, Object.fromEntries(tallies), { atFirst, afterWarmUp, atLast });
    },
    minutes * 60_000 + 180_000,
  );
  afterAll(async () => {
    await gateway?.stop();
    await engine?.stop();
    await gateway?.remove();
  }, 120_000);

  it('every kind of work was done again and again', () => {
    const done = [...works.keys()].map((name) => [name, tallies.get(name)?.done ?? 0] as const);
    expect(done.filter(([, times]) => times < 5 * minutes)).toEqual([]);
  });

  it('nothing that was acknowledged is lost, and nothing that was refused is there', async () => {
    expect(await findLostWrites(world)).toEqual([]);
  });

  it('no memory is held that was not held before', () => {
    expect(atLast.heapMib - afterWarmUp.heapMib).toBeLessThan(heapBarMib);
    expect(atLast.residentMib - afterWarmUp.residentMib).toBeLessThan(residentBarMib);
  });

  it('no descriptor, process or file is left', () => {
    expect(atLast.descriptors).toBeLessThanOrEqual(atFirst.descriptors + openedLate);
    expect(atLast.children).toBe(atFirst.children);
    expect(atLast.files).toEqual(atFirst.files);
  });

  it('the gateway still ends when it is told to, and leaves nothing in the engine', async () => {
    expect(await gateway.stop()).toBe(0);
    expect(await containersOfGateway(engine)).toEqual([]);
  });
});
