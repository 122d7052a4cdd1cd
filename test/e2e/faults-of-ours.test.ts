/** Bugs that nothing catches, on one connection while another works: only the first ends. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseMetrics } from '../support/metrics-page.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, spawnSsh, ssh } from '../support/ssh-client.ts';

let folder: string;
let admin: KeyPair;
let served: Served;
let target: SshTarget;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-faults-'));
  admin = await makeKeyPair();
  const bugs = new URL('../support/fault-on-demand.ts', import.meta.url).href;
  process.env['NODE_OPTIONS'] = `--import=${bugs}`;
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, '--metrics-listen=127.0.0.1:0']).finally(
    () => {
      delete process.env['NODE_OPTIONS'];
    },
  );
  target = await targetIn(folder, served.port);
});
afterAll(async () => {
  expect(await stop(served)).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

const metrics = async () => {
  const url = /Metrics are served on (\S+)/.exec(served.printed())?.[1] as string;
  return parseMetrics(await (await fetch(url)).text());
};
const faults = async () => (await metrics()).value('postern_uncaught_errors_total{ended="connection"}');

/** Somebody at the prompt, in the middle of their work. */
async function openPrompt() {
  const child = spawnSsh(target, undefined, { key: admin, args: ['-tt'] });
  const left = once(child, 'close');
  let seen = '';
  child.stdout?.on('data', (chunk) => {
    seen += chunk;
  });
  const answers = async () => {
    seen = '';
    child.stdin?.write('whoami\r');
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('Account: admin');
  };
  return { answers, close: () => child.stdin?.write('exit\r'), left };
}

it.each(['handler', 'timer', 'promise', 'stream', 'channel'])(
  'a bug in a %s: its connection ends with a number, another works on, and the log has both',
  async (where) => {
    const before = (await faults()) ?? 0;
    const other = await openPrompt();
    await other.answers();
    const ended = spawnSsh(target, undefined, { key: admin, args: ['-T', '-o', `SetEnv=FAULT=${where}`] });
    let told = '';
    ended.stderr?.on('data', (chunk) => {
      told += chunk;
    });
    const left = once(ended, 'close');
    setTimeout(() => ended.stdin?.write('whoami\n'), 300);
    expect((await left)[0]).toBe(255);
    const number = /internal error (\w{8}); the operator finds the cause under this number in the log/.exec(
      told,
    )?.[1];
    expect(number).toBeDefined();

    await other.answers();
    other.close();
    await other.left;
    expect(await faults()).toBe(before + 1);
    const logged = served
      .printed()
      .split('\n')
      .filter((line) => line.includes(`made by a test: ${where}`))
      .map((line) => JSON.parse(line));
    expect(logged).toEqual([
      expect.objectContaining({ errorId: number, connectionId: expect.stringMatching(/\w/), level: 50 }),
    ]);
    await expect.poll(async () => (await metrics()).value('postern_connections_open{kind="ssh"}')).toBe(0);
  },
);

it('many of them leave nothing behind, and whoever comes next is let in', async () => {
  const crowd = Array.from({ length: 8 }, (_, at) =>
    ssh(target, 'whoami', { key: admin, args: ['-o', `SetEnv=FAULT=${at % 2 ? 'timer' : 'promise'}`] }),
  );
  await Promise.all(crowd);
  expect((await ssh(target, 'whoami', { key: admin })).text).toContain('Account: admin');
  await expect.poll(async () => (await metrics()).value('postern_connections_open{kind="ssh"}')).toBe(0);
  await expect.poll(async () => (await metrics()).sum('postern_sessions_open')).toBe(0);
});
