import { beforeEach, describe, expect, it } from 'vitest';
import { watchKeyChanges } from '../../../src/container-sshd/key-changes.ts';
import { forgetGone, noteSynced, noteThere } from '../../../src/container-sshd/synced-targets.ts';
import { isoTime } from '../../../src/platform/clock.ts';
import { rowShapes } from '../../../src/store/row-shapes.ts';
import type { Change, Store } from '../../../src/store/store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const dayMs = 24 * 3_600_000;
const web = 'container:web';

describe('which containers hold keys', () => {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  let store: Store;
  let changes: Change[];

  beforeEach(async () => {
    clock.nowMs = Date.parse('2026-01-01T00:00:00Z');
    store = createMemoryStore();
    await noteSynced(store, clock, web);
    changes = [];
    store.onChange((made) => void changes.push(...made));
  });

  const afterDays = (days: number) => {
    clock.nowMs += days * dayMs;
  };
  const reconcile = (...there: string[]) =>
    forgetGone({ store, clock, owns: (key) => !key.includes('/') }, new Set(there));
  const known = async () => (await store.list('syncedTargets')).map(({ id }) => id);

  it('removed-key-stays: one synced long ago is not forgotten when it is missing for a moment', async () => {
    afterDays(100);
    await reconcile();
    expect(await known()).toEqual([web]);
    afterDays(89);
    await reconcile();
    expect(await known()).toEqual([web]);
  });

  it('one that nobody has seen for 90 days is forgotten', async () => {
    await reconcile();
    afterDays(90);
    await reconcile();
    expect(await known()).toEqual([web]);
    clock.nowMs += 1;
    await reconcile();
    expect(await known()).toEqual([]);
  });

  it.each([
    ['a reconcile', () => reconcile(web)],
    ['its start', () => noteThere(store, web)],
  ])('one that %s has seen is gone from then on only when it is missing again', async (_, see) => {
    const [before] = await store.list('syncedTargets');
    await reconcile();
    expect(await store.get('syncedTargets', web)).toEqual({ ...before, goneSince: isoTime(clock) });
    afterDays(60);
    await see();
    expect(await store.get('syncedTargets', web)).toEqual(before);
    afterDays(60);
    await reconcile();
    afterDays(60);
    await reconcile();
    expect(await known()).toEqual([web]);
  });

  it('of another engine nothing is known', async () => {
    await noteSynced(store, clock, 'container:far/web');
    const before = await store.get('syncedTargets', 'container:far/web');
    await reconcile(web);
    afterDays(200);
    await reconcile(web);
    expect(await store.get('syncedTargets', 'container:far/web')).toEqual(before);
  });

  it('nothing is written where nothing changed', async () => {
    await reconcile(web);
    await noteThere(store, web);
    expect(changes).toEqual([]);
    await reconcile();
    afterDays(1);
    await reconcile();
    expect(changes).toEqual([{ table: 'syncedTargets', id: web }]);
  });

  it('one that starts after the engine was asked is not taken to be gone any longer', async () => {
    await reconcile();
    afterDays(91);
    const list = store.list.bind(store);
    const slow: Store = {
      ...store,
      async list(...question: Parameters<Store['list']>) {
        const rows = await list(...question);
        await noteThere(store, web);
        return rows;
      },
    } as Store;
    await forgetGone({ store: slow, clock, owns: () => true }, new Set());
    expect(await store.get('syncedTargets', web)).not.toHaveProperty('goneSince');
  });

  it('that one is gone or back makes nobody look at all containers again', async () => {
    let news = 0;
    const count = () => {
      news += 1;
    };
    const stop = watchKeyChanges(store, count, (error) => expect.unreachable(String(error)));
    const told = () => new Promise((resolve) => setImmediate(resolve));
    await reconcile();
    await told();
    const first = news;
    for (let flip = 0; flip < 3; flip += 1) {
      await reconcile(web);
      await reconcile();
      await told();
    }
    expect(changes.length).toBeGreaterThan(6);
    expect(news).toBe(first);
    stop();
  });

  it('rows of before are read, and times that are none are not', () => {
    const row = { id: web, since: isoTime(clock) };
    expect(rowShapes.syncedTargets.parse(row)).toEqual(row);
    expect(rowShapes.syncedTargets.safeParse({ ...row, goneSince: 'yesterday' }).success).toBe(false);
  });
});
