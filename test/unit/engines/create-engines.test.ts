import { beforeEach, describe, expect, it } from 'vitest';
import { createEngines } from '../../../src/engines/create-engines.ts';
import type { Engines, EngineToAdd } from '../../../src/engines/engines.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { HostRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { container, putAccount, putGrant, startOfTests } from '../../support/people.ts';

let store: Store;
let engines: Engines;
let fault: GatewayError | undefined;

beforeEach(() => {
  store = createMemoryStore();
  fault = undefined;
  engines = createEngines({
    store,
    clock: { now: () => startOfTests },
    dataDir: '/nowhere',
    tryEngine: async () => {
      if (fault) throw fault;
    },
  });
});

const add = (facts: Partial<EngineToAdd> = {}) =>
  engines.add({ name: 'prod', url: 'unix:///run/docker.sock', createdBy: 'operator', ...facts });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: GatewayError) => `${error.code}: ${error.message}`,
  );

const host = (facts: Partial<HostRow> = {}): HostRow => ({
  id: 'h',
  name: 'lab',
  slug: 'lab',
  hostname: 'lab.example.com',
  port: 22,
  username: 'root',
  identityFile: 'id',
  ports: [],
  shared: true,
  createdBy: 'operator',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...facts,
});
const putHost = async (facts: Partial<HostRow> = {}) => {
  const row = host(facts);
  await store.transact((transaction) => transaction.put('hosts', row));
  return row;
};

describe('registering an engine', () => {
  it('keeps what was given, also where it does not answer, and says why', async () => {
    fault = new GatewayError('engine-unavailable', { reason: 'connection refused' });
    const { engine, unanswered } = await add();
    expect(unanswered).toBe(fault);
    expect(await engines.list()).toEqual([engine]);
    expect(engine).toMatchObject({ name: 'prod', url: 'unix:///run/docker.sock' });
  });

  it("refuses a name that is taken, and the one of the configuration's engine", async () => {
    await add();
    expect(await codeOf(add())).toContain('engine-name-taken');
    expect(await codeOf(add({ name: 'default' }))).toContain('invalid-engine');
  });

  it('no-tls-by-accident: tcp off this machine takes --tls, or to say that nobody can listen', async () => {
    expect(await codeOf(add({ url: 'tcp://10.0.0.5:2375' }))).toContain('would be root there');
    expect(await codeOf(add({ url: 'tcp://docker.example.com:2376' }))).toContain('would be root there');
    expect(await codeOf(add({ url: 'tcp://127.0.0.1.example.com:2376' }))).toContain('would be root there');
    expect(await codeOf(add({ name: 'a', url: 'tcp://127.0.0.1:2375' }))).toBe('done');
    expect(await codeOf(add({ name: 'b', url: 'tcp://10.0.0.5:2375', plaintext: true }))).toBe('done');
    expect(await codeOf(add({ name: 'c', url: 'tcp://10.0.0.5:2375', plaintext: true, tls: 'x' }))).toContain(
      'exclude each other',
    );
  });

  it('--tls needs the files, and is for tcp alone', async () => {
    expect(await codeOf(add({ url: 'tcp://10.0.0.5:2376', tls: 'prod' }))).toContain('is not there');
    expect(await codeOf(add({ tls: 'prod' }))).toContain('are for tcp:// addresses');
  });

  it("--ssh takes a host that the gateway itself may log in to: an admin's, with a key of the gateway's", async () => {
    expect(await codeOf(add({ ssh: await putHost() }))).toBe('done');
    const mia = await putAccount(store, 'mia');
    expect(await codeOf(add({ name: 'm', ssh: await putHost({ createdBy: mia.id }) }))).toContain(
      'the gateway itself cannot log in to "lab"',
    );
    const { identityFile: _, ...bare } = host();
    await store.transact((transaction) => transaction.put('hosts', bare));
    expect(await codeOf(add({ name: 'n', ssh: bare }))).toContain('the gateway itself cannot log in');
    expect(await codeOf(add({ name: 'o', url: 'tcp://10.0.0.5:2376', ssh: await putHost() }))).toContain(
      'a path on that host',
    );
  });

  it('200 are enough', async () => {
    for (let at = 0; at < 200; at++) await add({ name: `e${at}` });
    expect(await codeOf(add({ name: 'more' }))).toContain('too-many-engines');
  });
});

describe('removing an engine', () => {
  it('takes along what hangs on its containers, and nothing of others', async () => {
    await add();
    const mia = await putAccount(store, 'mia');
    const key = (name: string) => ({ ...container('web'), key: name });
    const keys = ['container:prod/web', 'container:web', 'container:prod2/web', 'container:prod'];
    for (const each of keys) {
      await putGrant(store, key(each), mia);
      await store.transact(async (transaction) => {
        await transaction.put('targetTags', { id: each, tags: ['x'] });
        await transaction.put('recordingRules', { id: each, mode: 'on', since: '2026-01-01T00:00:00.000Z' });
      });
    }
    await engines.remove('prod');
    const kept = keys.slice(1).toSorted();
    expect((await store.list('grants')).map(({ targetKey }) => targetKey).toSorted()).toEqual(kept);
    expect((await store.list('targetTags')).map(({ id }) => id).toSorted()).toEqual(kept);
    expect((await store.list('recordingRules')).map(({ id }) => id).toSorted()).toEqual(kept);
    expect(await codeOf(engines.remove('prod'))).toContain('engine-not-found');
  });

  it('draining is kept, and undone', async () => {
    await add();
    expect(await engines.setDraining('prod', true)).toMatchObject({ draining: true });
    expect(await engines.get('prod')).toMatchObject({ draining: true });
    expect(await engines.setDraining('prod', false)).not.toHaveProperty('draining');
  });
});
