/** A clock that is set by a day, forward and back, under a gateway with people on it. */
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyAudit } from '../../src/audit/verify-audit.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, spawnSsh, ssh } from '../support/ssh-client.ts';

let folder: string;
let admin: KeyPair;
let served: Served;
let target: SshTarget;
let url: string;

/** Seconds that the gateway's clock is off; its timers, as the kernel's, know nothing of it. */
const setClock = (seconds: number) =>
  writeFile(join(folder, 'clock'), `${seconds < 0 ? '' : '+'}${seconds}\n`);
const day = 86_400;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-clock-'));
  admin = await makeKeyPair();
  await setClock(0);
  const faked = {
    LD_PRELOAD: globSync('/usr/lib/*/faketime/libfaketime.so.1')[0],
    FAKETIME_TIMESTAMP_FILE: join(folder, 'clock'),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  Object.assign(process.env, faked);
  const flags = [`--admin-key=${admin.file}.pub`, '--http-listen=127.0.0.1:0', '--log-level=info'];
  served = await serve(folder, flags).finally(() => {
    for (const name of Object.keys(faked)) delete process.env[name];
  });
  target = await targetIn(folder, served.port);
  url = /POST (http:\S+)/.exec(served.printed())?.[1] as string;
});
afterAll(async () => {
  expect(await stop(served)).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

const line = (command: string) => ssh(target, command, { key: admin });
const ask = async (token: string) =>
  (await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: 'whoami' }))
    .status;
const newToken = async (label: string) =>
  (await line(`ssh-key generate-api-key --label=${label} --exp=1h`)).text.trim();

it('forward and back: who is connected stays, who comes gets in, tokens go by the new time, and the audit is whole', async () => {
  const prompt = spawnSsh(target, undefined, { key: admin, args: ['-tt'] });
  let seen = '';
  prompt.stdout?.on('data', (chunk) => {
    seen += chunk;
  });
  const answers = async () => {
    seen = '';
    prompt.stdin?.write('whoami\r');
    await expect.poll(() => seen, { timeout: 30_000 }).toContain('Account: admin');
  };
  await answers();
  const hourly = await newToken('hourly');
  expect(await ask(hourly)).toBe(200);

  await setClock(day);
  await answers();
  expect((await line('whoami')).text).toContain('Account: admin');
  expect(await ask(hourly)).toBe(401);
  const tomorrow = await newToken('tomorrow');
  expect(await ask(tomorrow)).toBe(200);

  await setClock(-day);
  await answers();
  expect((await line('whoami')).text).toContain('Account: admin');
  expect(await ask(hourly)).toBe(200);

  await setClock(0);
  await answers();
  expect(await ask(hourly)).toBe(200);
  expect((await line('invite create --name=later')).status).toBe(0);
  const left = once(prompt, 'close');
  prompt.stdin?.write('exit\r');
  await left;

  const audit = await readFile(join(folder, 'data/audit/audit.jsonl'), 'utf8');
  const days = new Set([...audit.matchAll(/"time":"(\d{4}-\d\d-\d\d)/g)].map(([, date]) => date));
  expect(days.size).toBe(3);
  for (const [, ms] of audit.matchAll(/"durationMs":(-?\d+)/g)) {
    expect(Number(ms)).toBeGreaterThanOrEqual(0);
    // Longer than the test may take, and much less than the clock was off.
    expect(Number(ms)).toBeLessThan(600_000);
  }
  expect((await verifyAudit(join(folder, 'data'))).breaks).toEqual([]);
});
