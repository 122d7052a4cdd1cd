/**
 * Mixed work by several clients at once, while clients, containers and the Docker Engine are killed at random; then the
 * gateway is looked at: what it acknowledged, and what it holds on to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { runLabel, testLabel } from '../engine.ts';
import type { MeasuredGateway } from '../measured-gateway.ts';
import type { OwnEngine } from '../own-engine.ts';
import { makeKeyPair } from '../ssh-client.ts';
import { openClient } from './connection.ts';
import { Model } from './model.ts';
import type { Random } from './random.ts';
import { type SoakWorld, works } from './works.ts';

/** One client each. */
const accounts = ['ann', 'ben', 'cleo'];
/** Between two works of one client: the tests run beside others. */
const pauseMs = 250;
/** Something is killed so often, on average. */
const killEveryMs = 8_000;
/** One in so many kills is the engine's, which takes all containers with it. */
const engineOneIn = 4;

export interface Tally {
  readonly done: number;
  readonly cutOff: number;
}

/** Containers for sessions and forwards, accounts, and a token. */
export async function createWorld(
  engine: OwnEngine,
  { port, httpUrl, admin }: MeasuredGateway,
  image: string,
  random: Random,
): Promise<SoakWorld> {
  const names = ['soak-one', 'soak-two'];
  for (const name of names) {
    const labels = [
      '--label',
      `${testLabel}=1`,
      '--label',
      `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`,
    ];
    const kept = ['--stop-signal', 'KILL', '--network', 'none', ...labels];
    await engine.docker(
      'run',
      '-d',
      '--name',
      name,
      ...kept,
      image,
      ...['nc', '-ll', '-p', '7', '-e', 'cat'],
    );
  }
  const client = await openClient(port, admin.file, 'admin');
  const members = [];
  for (const name of accounts) {
    const key = await makeKeyPair();
    const keys = new Model();
    await client.run(`account add ${name} --role=admin "${key.publicKey}"`);
    members.push({ key: key.file, keys });
  }
  const { output } = await client.run('ssh-key generate-api-key --cmds=whoami');
  client.client.end();
  const world = { port, httpUrl, token: output.trim(), members, hosts: new Model(), random };
  for (const { key, keys } of members) {
    for (const [id, name] of await keysOf(world.port, key)) keys.added(id, name, 'done');
  }
  return { ...world, containers: names };
}

/** What was killed and started, and when: for whoever looks for the cause of a failure. */
const happened: string[] = [];

function note(what: string): void {
  happened.push(`${new Date().toISOString()} ${what}`);
}

/** All that tells why something went wrong, while it still does. */
export async function describeFailure(engine: OwnEngine, gateway: MeasuredGateway): Promise<string> {
  const ask = (...args: readonly string[]) => engine.docker(...args).catch(String);
  const asked = [
    ['ps', '--all'],
    ['top', 'soak-one', '-eo', 'pid,ppid,sid,stat,etimes,args'],
    ['top', 'soak-two', '-eo', 'pid,ppid,sid,stat,etimes,args'],
  ];
  const seen = await Promise.all(
    asked.map(async (args) => `docker ${args.join(' ')}:\n${await ask(...args)}`),
  );
  const now = new Date().toISOString();
  return [now, ...happened.slice(-20), ...seen, 'the gateway said last:', gateway.lastWords()].join('\n');
}

/** Works until `forMs` are over; resolves to how often each work was done and was cut off. */
export async function workAndKill(
  world: SoakWorld,
  engine: OwnEngine,
  forMs: number,
): Promise<ReadonlyMap<string, Tally>> {
  const until = Date.now() + forMs;
  const tallies = new Map<string, Tally>();
  const { random, members } = world;
  const one = async (member: SoakWorld['members'][number], place: number) => {
    const turns = [...works].slice(place * 3).concat([...works].slice(0, place * 3));
    for (let turn = 0; Date.now() < until; turn++) {
      const [name, work] = turns[turn % turns.length] as (typeof turns)[number];
      const done = await work(world, member);
      const { done: before = 0, cutOff = 0 } = tallies.get(name) ?? {};
      tallies.set(name, done ? { done: before + 1, cutOff } : { done: before, cutOff: cutOff + 1 });
      await sleep(random.next() * 2 * pauseMs);
    }
  };
  await Promise.all([...members.map(one), kill(world, engine, until)]);
  return tallies;
}

async function kill({ random }: SoakWorld, engine: OwnEngine, until: number): Promise<void> {
  for (;;) {
    await sleep(random.next() * 2 * killEveryMs);
    if (Date.now() > until) return;
    if (random.whole(engineOneIn) === 0) {
      note('the engine is killed');
      await engine.kill();
      await sleep(random.whole(2_000));
      await engine.start();
    } else {
      const name = random.of(['soak-one', 'soak-two']) as string;
      note(`${name} is killed`);
      await engine.docker('kill', name);
      await sleep(random.whole(1_000));
    }
    await startContainers(engine);
    note('all are started');
  }
}

export async function startContainers(engine: OwnEngine): Promise<void> {
  await engine.docker('start', 'soak-one', 'soak-two');
}

/** What was acknowledged and is not so, or is so and was refused; empty: nothing. */
export async function findLostWrites(world: SoakWorld): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { key, keys } of world.members) {
    found.push(...keys.differencesTo(await keysOf(world.port, key)));
  }
  const [first] = world.members as [SoakWorld['members'][number]];
  const { hosts } = await ask<{ hosts: { name: string }[] }>(world.port, first.key, 'host list');
  found.push(...world.hosts.differencesTo(new Map(hosts.map(({ name }) => [name, name]))));
  return found;
}

async function keysOf(port: number, keyFile: string): Promise<ReadonlyMap<string, string>> {
  interface Row {
    readonly fingerprint: string;
    readonly name: string;
  }
  const { ssh_keys } = await ask<{ ssh_keys: Row[] }>(port, keyFile, 'ssh-key list');
  return new Map(ssh_keys.map(({ fingerprint, name }) => [fingerprint, name]));
}

async function ask<Answer>(port: number, keyFile: string, line: string): Promise<Answer> {
  const client = await openClient(port, keyFile, 'somebody');
  const { status, output } = await client.run(`${line} --json`);
  client.client.end();
  if (status !== 0) throw new Error(`${line}: ${status} ${output}`);
  return JSON.parse(output) as Answer;
}

/** Containers that the gateway made: sidecars, holders; not the two of the soak. */
export async function containersOfGateway(engine: OwnEngine): Promise<readonly string[]> {
  const names = await engine.docker('ps', '-a', '--format', '{{.Names}}');
  return names.split('\n').filter((name) => name !== '' && !name.startsWith('soak-'));
}
