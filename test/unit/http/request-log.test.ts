import fastify from 'fastify';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { logRequests, noteIdentity } from '../../../src/http/request-log.ts';
import { noMeter } from '../../../src/metrics/meter.ts';

it('log-flood: strangers who are answered have a budget as those who are refused; who is known has none', async () => {
  const lines: { path: string; untold?: number }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const app = fastify({ logger: false });
  logRequests(app, log, noMeter);
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/known', async (request) => {
    noteIdentity(request, { accountName: 'ada', fingerprint: 'SHA256:x' } as Identity);
    return {};
  });
  const ask = (url: string, times: number) =>
    Promise.all(Array.from({ length: times }, () => app.inject(url)));
  await ask('/healthz', 700);
  await ask('/nothing', 100);
  expect(lines.length).toBeGreaterThanOrEqual(500);
  expect(lines.length).toBeLessThan(600);
  lines.length = 0;
  await ask('/known', 600);
  expect(lines.length).toBe(600);
  await app.close();
});
