/** Two workers are one gateway: what is limited, listed, remembered, counted and audited is the gateway's. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { openPrompt, type Prompt } from '../support/open-prompt.ts';
import { servingWorkers, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

let folder: string;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
let metricsPort: number;
const asked = async (line: string) => JSON.parse((await ssh(target, `${line} --json`, { key: admin })).text);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-share-'));
  admin = await makeKeyPair();
  metricsPort = await freePort();
  const config = {
    workers: 2,
    metricsListen: `127.0.0.1:${metricsPort}`,
    maxSessionsPerAccount: 3,
  };
  const file = join(folder, 'postern.json');
  await writeFile(file, JSON.stringify(config));
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${file}`, '--log-level=info']);
  target = await targetIn(folder, served.port);
});
/** Resolves when others serve in their place. */
async function killWorkers(): Promise<void> {
  const deaths = () => served.printed().split('"a worker died"').length;
  const before = deaths();
  const workers = servingWorkers(served);
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  await until(() => deaths() === before + workers.length);
  expect((await ssh(target, 'whoami', { key: admin })).status).toBe(0);
}
afterAll(async () => {
  await stop(served);
  await rm(folder, { recursive: true, force: true });
});

it('sessions in both are listed, limited together, and ended from either; a killed worker’s end with it', async () => {
  const prompts: Prompt[] = [await openPrompt(target, admin), await openPrompt(target, admin)];
  const list = async () =>
    (await asked('session list')).sessions as { id: string; what: string; connection_id: string }[];
  const shells = (await list()).filter(({ what }) => what === 'shell');
  expect(shells).toHaveLength(2);
  // The limit is 3: this one and those two.
  const third = await openPrompt(target, admin);
  expect((await ssh(target, 'whoami', { key: admin })).stderr).toContain('3 sessions are open already');
  await third.ask(`session kill ${shells[0]?.id}`, /Ended session/);
  await Promise.race(prompts.map(({ left }) => left));
  third.child.stdin?.write('exit\r');
  await third.left;
  expect((await list()).filter(({ what }) => what === 'shell')).toHaveLength(1);
  await killWorkers();
  await Promise.all(prompts.map(({ left }) => left));
  expect((await list()).filter(({ what }) => what === 'shell')).toEqual([]);
  const lost = async () =>
    (await asked('audit --event=session-ended --limit=20')).events.filter(
      (event: { end: object }) => 'lost' in event.end,
    );
  await expect.poll(lost).toHaveLength(1);
});

async function logins(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^postern_logins_total\{result="accepted".*\} (\d+)$/m.exec(text)?.[1]);
}

it('one page of metrics has what all of them counted, and it never goes back', async () => {
  const before = await logins();
  for (let time = 0; time < 4; time++) await ssh(target, 'whoami', { key: admin });
  // A worker that is busy just then has what it counted on the next page.
  await expect.poll(async () => (await logins()) - before).toBe(4);
  await killWorkers();
  expect(await logins()).toBeGreaterThanOrEqual(before + 4);
});

it('what they counted outlasts a restart, though all processes are others then', async () => {
  const before = await logins();
  const restarted = await runProgram(process.execPath, [main, 'restart', `--data=${folder}/data`]);
  expect([restarted.status, restarted.stderr]).toEqual([0, '']);
  await ssh(target, 'whoami', { key: admin });
  await until(() => supervisorsOf(served).length === 1);
  await expect.poll(logins).toBe(before + 1);
});
