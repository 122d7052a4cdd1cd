import { describe, expect, it } from 'vitest';
import type { ReachingKey } from '../../../src/auth/reaching-keys.ts';
import { createKeepInStep } from '../../../src/container-sshd/keep-in-step.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { ContainerTarget } from '../../../src/targets/target.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

it('started-while-listed: a container that starts while a list is under way is not taken to be stopped', async () => {
  const found = (state: string) =>
    ({ kind: 'container', id: 'a', name: 'web', key: 'container:web', state, labels: {} }) as ContainerTarget;
  const slow = Promise.withResolvers<readonly ContainerTarget[]>();
  const answers = [slow.promise, Promise.resolve([found('running')])];
  const synced: string[] = [];
  const kept = createKeepInStep({
    engine: { list: () => answers.shift() ?? Promise.resolve([]) },
    store: createMemoryStore(),
    clock: systemClock,
    listReachingKeys: async () => ({ keys: [], leftOut: [] }),
    syncKeys: async ({ state }) => {
      synced.push(state);
      return { synced: 0, leftOut: [], user: 'app' };
    },
    config: { sync: 'all' },
  });
  const listing = kept.list(true);
  kept.forget('a');
  slow.resolve([found('exited')]);
  await listing;
  await kept.update('a');
  expect(synced).toEqual(['running']);
});

it('one that is made and not started yet is noted to be there', async () => {
  const store = createMemoryStore();
  const row = { id: 'container:web', since: '2026-01-01T00:00:00.000Z' };
  await store.transact((transaction) =>
    transaction.put('syncedTargets', { ...row, goneSince: '2026-02-01T00:00:00.000Z' }),
  );
  const target = { kind: 'container', id: 'a', name: 'web', key: row.id, state: 'created', labels: {} };
  const kept = createKeepInStep({
    engine: { list: async () => [target as unknown as ContainerTarget] },
    store,
    clock: systemClock,
    listReachingKeys: async () => ({ keys: [], leftOut: [] }),
    syncKeys: () => expect.unreachable(),
    config: { sync: 'labelled' },
  });
  expect(await kept.update('a')).toBeUndefined();
  expect(await store.list('syncedTargets')).toEqual([row]);
});

describe('removed-key-stays: a key that was there only while a file was written is taken out again', () => {
  const target = {
    kind: 'container',
    id: 'a',
    name: 'web',
    key: 'container:web',
    state: 'running',
    labels: {},
  };
  const key = (name: string) =>
    ({
      account: { name: 'ada' },
      key: { name, publicKey: `ssh-ed25519 ${name}`, restrictions: {} },
      allows: {},
    }) as unknown as ReachingKey;

  it.each([
    ['that was written', false],
    ['of which nobody knows whether it was written', true],
  ])('by a sync %s', async (_, fails) => {
    const store = createMemoryStore();
    let keys = [key('one')];
    let file: readonly string[] = [];
    let isMeanwhile = false;
    const kept = createKeepInStep({
      engine: { list: async () => [target as unknown as ContainerTarget] },
      store,
      clock: systemClock,
      listReachingKeys: async () => ({ keys, leftOut: [] }),
      syncKeys: async (_target, _mode, onListed) => {
        if (isMeanwhile) keys = [key('one'), key('two')];
        onListed?.(keys);
        file = keys.map(({ key }) => key.name);
        if (isMeanwhile && fails) throw new Error('the engine says nothing');
        return { synced: keys.length, leftOut: [], user: 'app' };
      },
      config: { sync: 'all' },
    });
    if (fails) await kept.update('a');
    if (fails) keys = [key('one'), key('three')];
    isMeanwhile = true;
    await kept.update('a').catch(() => {});
    expect(file).toEqual(['one', 'two']);
    isMeanwhile = false;
    keys = [key('one')];
    await kept.update('a');
    expect(file).toEqual(['one']);
    expect(await kept.update('a')).toBeUndefined();
  });
});
