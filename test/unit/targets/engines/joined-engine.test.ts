import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authorization } from '../../../../src/auth/authorization.ts';
import { GatewayError } from '../../../../src/errors.ts';
import type { EngineRow } from '../../../../src/store/schema.ts';
import type { Store } from '../../../../src/store/store.ts';
import { createJoinedEngine } from '../../../../src/targets/engines/create-joined-engine.ts';
import type { JoinedEngine } from '../../../../src/targets/joined-engine.ts';
import type { ContainerEngine, ContainerTarget } from '../../../../src/targets/target.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { container, listedEngine } from '../../../support/people.ts';
import { context, startSession } from '../../../support/session-io.ts';

let store: Store;
let joined: JoinedEngine;
let opened: Map<string, Fake>;
const own = () => listedEngine([container('web')]).engine;

/** An engine that may be silent, or gone. */
function fake(containers: ContainerTarget[]) {
  const { engine, asked } = listedEngine(containers);
  const facts = { lists: 0, isClosed: false, mode: 'up' as 'up' | 'silent' | 'gone' };
  const list = async () => {
    facts.lists++;
    if (facts.mode === 'gone') throw new GatewayError('engine-unavailable', { reason: 'connection refused' });
    if (facts.mode === 'silent') return new Promise<never>(() => {});
    return [...containers];
  };
  const close = async () => {
    facts.isClosed = true;
  };
  return { facts, asked, containers, engine: { ...engine, list, close } as ContainerEngine };
}
type Fake = ReturnType<typeof fake>;

const rowOf = (name: string, facts: Partial<EngineRow> = {}): EngineRow => ({
  id: `id-${name}`,
  name,
  url: `unix:///run/${name}.sock`,
  createdBy: 'operator',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...facts,
});
const put = (row: EngineRow) => store.transact((transaction) => transaction.put('engines', row));
const remove = (name: string) => store.transact((transaction) => transaction.remove('engines', `id-${name}`));

async function add(name: string, engine: Fake): Promise<void> {
  opened.set(name, engine);
  await put(rowOf(name));
}

/** Sooner than a timer that is set now: one of this process, so that it is late when all others are. */
const isDoneWithin = (ms: number, work: Promise<unknown>) =>
  Promise.race([work.then(() => true), pause(ms, false, { ref: false })]);

beforeEach(() => {
  store = createMemoryStore();
  opened = new Map();
  joined = createJoinedEngine({
    own: own(),
    store,
    openEngine: ({ name }) => opened.get(name)?.engine ?? fake([]).engine,
    log: pino({ level: 'silent' }),
  });
});
afterEach(() => joined.close());

const names = async () => (await joined.list()).map(({ name }) => name);

describe('all engines as one', () => {
  it('containers of a registered engine are called ENGINE/NAME, and so are their keys', async () => {
    await add('prod', fake([container('web')]));
    const targets = await joined.list();
    expect(targets.map(({ name, key, engine }) => [name, key, engine])).toEqual([
      ['web', 'container:web', undefined],
      ['prod/web', 'container:prod/web', 'prod'],
    ]);
  });

  it('an engine that is added counts at once, and one that is removed no more, its sessions closed', async () => {
    const prod = fake([container('db')]);
    expect(await names()).toEqual(['web']);
    await add('prod', prod);
    expect(await names()).toEqual(['web', 'prod/db']);
    await remove('prod');
    expect(await names()).toEqual(['web']);
    expect(prod.facts.isClosed).toBe(true);
  });

  it('what is done to a container goes to its own engine, also where another lists the very same id', async () => {
    const prod = fake([container('web')]);
    await add('prod', prod);
    const [mine, theirs] = await joined.list();
    expect(mine?.id).toBe(theirs?.id);
    await joined.stop(theirs as ContainerTarget);
    expect(prod.asked).toEqual([`stop ${theirs?.id}`]);
    expect((await joined.list()).map(({ state }) => state)).toEqual(['running', 'exited']);
  });

  it('a draining engine is listed and lets no session in', async () => {
    await add('prod', fake([container('db')]));
    await put(rowOf('prod', { draining: true }));
    const target = (await joined.list()).find(({ name }) => name === 'prod/db') as ContainerTarget;
    const handler = joined.openSession({ target } as Authorization<ContainerTarget>);
    await expect(startSession(handler, 'id').end).rejects.toMatchObject({ code: 'engine-draining' });
    await put(rowOf('prod'));
    expect(await startSession(handler, 'id').end).toEqual({ exitStatus: 7 });
    expect(context.connectionId).toBe('connection');
  });
});

describe('an engine that does not answer', () => {
  it('makes nobody wait but whoever asks first, and is named', async () => {
    const quiet = fake([container('db')]);
    quiet.facts.mode = 'silent';
    await add('quiet', quiet);
    expect(await isDoneWithin(1_900, joined.survey())).toBe(true);
    expect(await isDoneWithin(500, joined.survey())).toBe(true);
    const { containers, silent } = await joined.survey();
    expect(containers.map(({ name }) => name)).toEqual(['web']);
    expect(silent).toMatchObject([{ engine: 'quiet', remembered: undefined }]);
    expect(silent[0]?.fault.message).toContain('the engine "quiet" cannot be reached (no answer in time)');
  });

  it('is remembered with what it last listed, and refuses sessions at once', async () => {
    const prod = fake([container('db')]);
    await add('prod', prod);
    const target = (await joined.list()).find(({ name }) => name === 'prod/db') as ContainerTarget;
    prod.facts.mode = 'gone';
    const { silent } = await joined.survey();
    expect(silent).toMatchObject([{ engine: 'prod', isAway: true, remembered: [{ name: 'prod/db' }] }]);
    const handler = joined.openSession({ target } as Authorization<ContainerTarget>);
    await expect(startSession(handler, 'id').end).rejects.toThrow(
      'the engine "prod" cannot be reached (connection refused); its containers are unavailable until it can.',
    );
  });

  it('is found again by itself when it answers again', async () => {
    const prod = fake([container('db')]);
    prod.facts.mode = 'gone';
    await add('prod', prod);
    expect(await names()).toEqual(['web']);
    prod.facts.mode = 'up';
    await expect.poll(names).toEqual(['web', 'prod/db']);
    expect(await joined.statuses()).toMatchObject([{ name: undefined }, { name: 'prod', state: 'up' }]);
  });

  it('is asked before anything is told of it, but waited for no longer than a second', async () => {
    expect(await joined.statuses()).toMatchObject([{ name: undefined, state: 'up', containers: 1 }]);
    const prod = fake([container('db')]);
    prod.facts.mode = 'silent';
    await add('prod', prod);
    expect(await isDoneWithin(1_900, joined.statuses())).toBe(true);
    expect(await joined.statuses()).toMatchObject([{ state: 'up' }, { name: 'prod', state: 'slow' }]);
  });

  it('is asked only now and then by itself, however many people ask for it', async () => {
    const prod = fake([]);
    prod.facts.mode = 'gone';
    await add('prod', prod);
    await joined.survey();
    const before = prod.facts.lists;
    await Promise.all(Array.from({ length: 200 }, () => joined.survey()));
    expect(prod.facts.lists - before).toBeLessThan(5);
  });
});

describe('hostile engines', () => {
  it('what could be no container, by its id or its name, is none', async () => {
    const evil = [
      container('../../etc'),
      container('web\u001b[2J'),
      container('prod/web'),
      container('short', { id: 'abc' }),
      container('numbers', { id: 7 as unknown as string }),
      container('fine', { labels: { a: 1 as unknown as string, 'rexec.owner': 'olga' } }),
    ];
    await add('evil', fake(evil));
    const found = (await joined.list()).filter(({ engine }) => engine === 'evil');
    expect(found.map(({ name, labels }) => [name, labels])).toEqual([
      ['evil/fine', { 'rexec.owner': 'olga' }],
    ]);
  });

  it('10,000 containers are listed of one, and no more', async () => {
    const id = (at: number) => at.toString(16).padStart(64, '0');
    const many = Array.from({ length: 10_050 }, (_, at) => container(`c${at}`, { id: id(at) }));
    await add('evil', fake(many));
    expect((await joined.list()).filter(({ engine }) => engine === 'evil')).toHaveLength(10_000);
  });

  it('an answer that makes no sense leaves the others as they are', async () => {
    await add('evil', fake([null as unknown as ContainerTarget]));
    const { containers, silent } = await joined.survey();
    expect(containers.map(({ name }) => name)).toEqual(['web']);
    expect(silent[0]?.fault.message).toContain('its answer makes no sense');
  });
});

describe('for each engine', () => {
  it('is begun for those that come and ended for those that go', async () => {
    const seen: string[] = [];
    await add('one', fake([]));
    const stop = joined.forEachEngine(({ owns }) => {
      const name = ['one', 'two'].find((each) => owns(`container:${each}/web`)) ?? 'own';
      seen.push(`+${name}`);
      return () => seen.push(`-${name}`);
    });
    await expect.poll(() => seen).toEqual(['+own', '+one']);
    await add('two', fake([]));
    await expect.poll(() => seen).toEqual(['+own', '+one', '+two']);
    await remove('one');
    await expect.poll(() => seen).toEqual(['+own', '+one', '+two', '-one']);
    stop();
    expect(seen.slice(4).toSorted()).toEqual(['-own', '-two']);
  });
});
