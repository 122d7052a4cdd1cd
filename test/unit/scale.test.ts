/** bench/scale: what a simulation says is worth as much as the queues that it is made of. */
import { describe, expect, it } from 'vitest';
import { type Costs, getCosts } from '../../bench/scale/costs.ts';
import { createAgenda } from '../../bench/scale/events.ts';
import { createQueue } from '../../bench/scale/queue.ts';
import { createChance } from '../../bench/scale/random.ts';
import { loginRate, type Scene, simulate } from '../../bench/scale/simulate.ts';
import { world } from '../../bench/scale/world.ts';

/** The mean wait in an M/M/c queue, in service times: Erlang's C formula. */
function erlangWait(servers: number, use: number): number {
  const offered = servers * use;
  let term = 1;
  let sum = 1;
  for (let busy = 1; busy < servers; busy++) {
    term *= offered / busy;
    sum += term;
  }
  const all = (term * offered) / servers / (1 - use);
  return all / (sum + all) / (servers * (1 - use));
}

function simulatedWait(servers: number, use: number): number {
  const agenda = createAgenda();
  const queue = createQueue(agenda, servers);
  const chance = createChance(7);
  let waited = 0;
  let count = 0;
  const arrive = () => {
    queue.take(chance.exponential(1), (seconds) => {
      waited += seconds;
      count++;
    });
    agenda.in(chance.exponential(1 / (servers * use)), arrive);
  };
  arrive();
  agenda.runUntil(200_000 / servers);
  return waited / count;
}

describe('a queue', () => {
  it.each([
    [1, 0.5],
    [1, 0.8],
    [4, 0.7],
    [8, 0.9],
  ])('of %i servers, busy to %f, has the wait of the M/M/c formula', (servers, use) => {
    const wanted = erlangWait(servers, use);
    expect(simulatedWait(servers, use) / wanted).toBeGreaterThan(0.9);
    expect(simulatedWait(servers, use) / wanted).toBeLessThan(1.1);
  });
});

describe('the simulation', () => {
  const costs: Costs = { ...getCosts() };
  const scene: Scene = { gateways: 5, load: 1, seconds: 40, seed: 3 };

  it('is the same for the same seed, and another for another', () => {
    expect(simulate(costs, world, scene)).toEqual(simulate(costs, world, scene));
    expect(simulate(costs, world, { ...scene, seed: 4 })).not.toEqual(simulate(costs, world, scene));
  });

  it('lets in whom it should, and is as busy as arrivals times costs say', () => {
    const { loginSeconds, gatewayUse, databaseUse, lockUse } = simulate(costs, world, scene);
    const rate = loginRate(world);
    const near = (seen: number, wanted: number) => expect(Math.abs(seen / wanted - 1)).toBeLessThan(0.15);
    near(loginSeconds.length, rate * scene.seconds);
    const sessionCpu = world.sessionCpuShare + costs.keepaliveCpuMs / 1000 / world.keepaliveSeconds;
    const hearing = (rate * scene.gateways * costs.heardRowCpuMs) / 1000;
    const cores = world.sessions * sessionCpu + (rate * costs.loginCpuMs) / 1000 + hearing;
    near(gatewayUse, cores / (scene.gateways * world.coresPerGateway));
    const polls = (scene.gateways * costs.pollDatabaseCpuMs) / 1000;
    near(databaseUse, ((rate * costs.loginDatabaseCpuMs) / 1000 + polls) / world.coresOfDatabase);
    const aSecond = scene.gateways * costs.transactionMs + rate * costs.writtenRowMs;
    // Beside the notes of uses there are the changes that people make, and a note's second begins when it is written.
    near(lockUse, aSecond / 1000);
  });

  it('has everybody back after a death, and the worse the fewer remain', () => {
    const death = (gateways: number) =>
      simulate(costs, world, { ...scene, gateways, seconds: 150, deathAtSeconds: 5 });
    const [few, many] = [death(4), death(10)];
    expect(Math.max(...many.away)).toBeGreaterThan(9_000);
    expect(many.away.at(-1)).toBe(0);
    expect(few.refusals).toBeGreaterThanOrEqual(many.refusals);
    expect(few.gatewayUse).toBeGreaterThan(many.gatewayUse);
  });
});
