/** A token that is used on two gateways of one database at once. */
import { expect, it } from 'vitest';
import { type Api, signExe0, startApi } from '../support/http-api.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { createTestDatabase } from '../support/postgres.ts';

const perSecond = 5;
const burst = 10;

const both = forAllTests(startBoth, ({ stop }) => stop());

async function startBoth() {
  const database = await createTestDatabase();
  const config = { store: database.url, tokenRatePerSecond: perSecond, tokenRateBurst: burst };
  const north = await startApi({ config: { ...config, gatewayName: 'north' } });
  const south = await startApi({ config: { ...config, gatewayName: 'south' }, admin: north.admin });
  return {
    ...{ north, south },
    stop: async () => {
      await Promise.all([north.stop(), south.stop()]);
      await database.drop();
    },
  };
}

/** Statuses of what one asks, again and again, and when it asked last. */
async function askOn({ url }: Api, token: string, untilMs: number) {
  const statuses: number[] = [];
  let askedAtMs = performance.now();
  while (performance.now() < untilMs) {
    askedAtMs = performance.now();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
    const { status } = await fetch(`${url}/exec`, { method: 'POST', headers, body: 'whoami' });
    statuses.push(status);
  }
  return { statuses, askedAtMs };
}

it('token-by-two-doors: has on both together the rate of one, within 20 %', async () => {
  const token = await signExe0(both.north.admin, {});
  const startedAtMs = performance.now();
  const clients = [both.north, both.south, both.north, both.south];
  const answers = await Promise.all(clients.map((door) => askOn(door, token, startedAtMs + 5_000)));
  const allowedUntil = (ms: number) => burst + (perSecond * (ms - startedAtMs)) / 1000;
  const allowed = allowedUntil(performance.now());
  // What came after that nobody was there to take.
  const asked = allowedUntil(Math.max(...answers.map(({ askedAtMs }) => askedAtMs)));
  const statuses = answers.flatMap((answer) => answer.statuses);
  expect([...new Set(statuses)].toSorted()).toEqual([200, 429]);
  const granted = statuses.filter((status) => status === 200).length;
  expect(granted).toBeGreaterThan(asked * 0.8);
  expect(granted).toBeLessThan(allowed * 1.2);
});
