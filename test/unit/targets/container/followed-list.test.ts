import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ContainerSummary } from '../../../../src/targets/container/engine-api.ts';
import { createFollowedList } from '../../../../src/targets/container/followed-list.ts';

/** An engine whose lists are numbered; `changes` is what it tells of. */
function numbered() {
  let changes = new PassThrough();
  let asked = 0;
  let failure: Error | undefined;
  const list = createFollowedList({
    list: async () => {
      if (failure) throw failure;
      return [{ Id: String(++asked) } as ContainerSummary];
    },
    openChanges: async () => {
      changes = new PassThrough();
      return changes;
    },
  });
  return {
    list,
    asked: () => asked,
    change: () => changes.write('{}\n'),
    cut: () => changes.destroy(),
    failWith: (error: Error | undefined) => {
      failure = error;
    },
    next: async (fresh = false) => {
      const [first] = await list.get({ fresh });
      await turn();
      return Number(first?.Id);
    },
  };
}

/** Its events are heard, and the list of after that is known. */
async function heard() {
  const engine = numbered();
  await engine.next();
  await expect.poll(engine.asked).toBe(2);
  return engine;
}

describe('the list of one engine among many', () => {
  it('is asked for once, however often it is wanted', async () => {
    const { next, asked } = await heard();
    for (let turns = 0; turns < 50; turns++) expect(await next()).toBe(2);
    expect(asked()).toBe(2);
  });

  it('is there at once while what has changed is asked for, once a second at most', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { next, asked, change } = numbered();
    await next();
    await vi.advanceTimersByTimeAsync(1_000);
    for (let turns = 0; turns < 100; turns++) {
      change();
      expect(await next()).toBe(2);
    }
    await vi.advanceTimersByTimeAsync(999);
    expect([await next(), asked()]).toEqual([2, 2]);
    await vi.advanceTimersByTimeAsync(1);
    expect([await next(), asked()]).toEqual([3, 3]);
  });

  it('is asked for where it is wanted fresh, and where we have changed something', async () => {
    const { next, list } = await heard();
    expect(await next(true)).toBe(3);
    expect(await next()).toBe(3);
    list.forget();
    expect(await next()).toBe(4);
  });

  it('nothing is kept once the engine tells no more; then it is heard again', async () => {
    const { next, cut, failWith } = await heard();
    cut();
    await turn();
    failWith(new Error('gone'));
    await expect(next()).rejects.toThrow('gone');
    failWith(undefined);
    const first = await next();
    await expect.poll(() => next()).toBeGreaterThan(first);
    const second = await next();
    expect(await next()).toBe(second);
  });

  it('closed, it asks for nothing', async () => {
    const { list, asked, change } = await heard();
    change();
    list.close();
    await turn();
    expect(asked()).toBe(2);
  });
});
