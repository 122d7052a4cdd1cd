/** Workers whose supervisor follows the Docker Engine for them: one stream of it, and all know what it tells. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until as isBefore } from '../support/container-processes.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { openPrompt, type Prompt } from '../support/open-prompt.ts';
import { servingWorkers, supervisorsOf, until } from '../support/processes.ts';
import { main, type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

const engine = createEngineProxy();
const containers: TestContainer[] = [];
let folder: string;
let served: Served;
let target: SshTarget;
let admin: KeyPair;
/** One in each worker, those of before a restart too. */
let prompts: Prompt[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-changes-'));
  await engine.listen(join(folder, 'docker.sock'));
  admin = await makeKeyPair();
  const file = join(folder, 'postern.json');
  await writeFile(file, JSON.stringify({ workers: 2, docker: `unix://${folder}/docker.sock` }));
  served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${file}`, '--log-level=info']);
  target = await targetIn(folder, served.port);
  prompts = [await openPrompt(target, admin), await openPrompt(target, admin)];
});
afterAll(async () => {
  for (const { child } of prompts) child.kill();
  await stop(served);
  await engine.vanish();
  await Promise.all(containers.map(({ remove }) => remove()));
  await rm(folder, { recursive: true, force: true });
});

const start = async () => {
  const container = await runContainer(images.busybox, ['--network=none']);
  containers.push(container);
  return container.name;
};
const streams = (of = engine) =>
  of.requests().filter(({ isOpen, asked }) => isOpen && asked.some((each) => /events.*destroy/.test(each)));
const lists = () =>
  engine.requests().flatMap(({ asked }) => asked.filter((each) => each.includes('/containers/json'))).length;

/** What each worker lists now. */
async function listed(): Promise<string[]> {
  return Promise.all(
    prompts.map(async (prompt) => {
      const before = prompt.shown().length;
      await prompt.ask('ls', /▶/);
      return prompt.shown().slice(before);
    }),
  );
}
/** Each worker hears of changes: it answers from what it knows. */
const isKept = async () => {
  const before = lists();
  await listed();
  return lists() === before;
};
const all = (name: string) => prompts.map(() => expect.stringContaining(name));

/** Asked for sooner than a list that nobody tells of changes would be anew, however long all of them take to show it. */
async function isListedAtOnce(name: string): Promise<void> {
  let shown: readonly string[] = [];
  const isThere = async () => {
    shown = await listed();
    return shown.every((each) => each.includes(name));
  };
  await isBefore(isThere, 3_000);
  expect(shown).toEqual(all(name));
}

async function isFoundAtOnce(): Promise<void> {
  await expect.poll(isKept, { timeout: 15_000 }).toBe(true);
  await isListedAtOnce(await start());
}

it('all workers follow the engine by one stream, and find a new container at once', async () => {
  await isFoundAtOnce();
  expect(servingWorkers(served)).toHaveLength(2);
  expect(streams()).toHaveLength(1);
});

it('those of before a restart and those after it follow it by one stream', async () => {
  const restarted = await runProgram(process.execPath, [main, 'restart', `--data=${folder}/data`]);
  expect([restarted.status, restarted.stderr]).toEqual([0, '']);
  prompts.push(await openPrompt(target, admin), await openPrompt(target, admin));
  await isFoundAtOnce();
  await until(() => streams().length === 1);
});

it('when their supervisor was killed, they follow it by the next one', async () => {
  const inCharge = () => served.printed().split('"in charge"').length;
  const before = inCharge();
  process.kill(supervisorsOf(served).at(-1) ?? 0, 'SIGKILL');
  await until(() => inCharge() > before);
  await isFoundAtOnce();
  await until(() => streams().length === 1);
});

it('when the engine was away, they follow it again, and what came meanwhile is there', async () => {
  await engine.vanish();
  const name = await start();
  await expect.poll(listed, { timeout: 15_000 }).toEqual(all('Docker Engine'));
  await engine.listen(join(folder, 'docker.sock'));
  await expect.poll(listed, { timeout: 15_000 }).toEqual(all(name));
  await isFoundAtOnce();
  expect(streams()).toHaveLength(1);
});

it('so is a registered engine, until it is removed', async () => {
  const other = createEngineProxy();
  const url = `unix://${folder}/other.sock`;
  await other.listen(join(folder, 'other.sock'));
  expect(await ssh(target, `engine add other ${url}`, { key: admin })).toMatchObject({ status: 0 });
  await expect.poll(() => streams(other).length, { timeout: 15_000 }).toBe(1);
  await isListedAtOnce(`other/${await start()}`);
  expect(streams(other)).toHaveLength(1);
  expect(await ssh(target, 'engine remove other', { key: admin })).toMatchObject({ status: 0 });
  await expect.poll(() => streams(other).length, { timeout: 15_000 }).toBe(0);
  await other.vanish();
});
