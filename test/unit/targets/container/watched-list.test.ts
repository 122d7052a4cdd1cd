import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../../../src/targets/container/engine-api.ts';
import { createWatchedList } from '../../../../src/targets/container/watched-list.ts';

/** An engine whose lists are numbered; `changes` is what it tells of. */
function numbered() {
  const changes = new PassThrough();
  let asked = 0;
  const engine = {
    list: async () => [{ Id: String(++asked) } as ContainerSummary],
    openChanges: async () => changes,
  };
  const list = createWatchedList(engine);
  const next = async () => {
    const [first] = await list.get();
    await turn();
    return first?.Id;
  };
  return { list, changes, next };
}

describe('the list of containers', () => {
  it('is kept while it is asked for often, and nothing changes', async () => {
    const { next } = numbered();
    expect([await next(), await next(), await next(), await next(), await next()]).toEqual([
      '1',
      '2',
      '3',
      '3',
      '3',
    ]);
  });

  it('is asked for anew when the engine tells of a change', async () => {
    const { next, changes } = numbered();
    for (let n = 0; n < 4; n++) await next();
    changes.write('{}\n');
    await turn();
    expect([await next(), await next()]).toEqual(['4', '4']);
  });

  it('is asked for anew when we have changed something', async () => {
    const { next, list } = numbered();
    for (let n = 0; n < 4; n++) await next();
    list.forget();
    expect(await next()).toBe('4');
  });

  it('is asked for anew for whoever wants that of this moment', async () => {
    const { next, list } = numbered();
    for (let n = 0; n < 4; n++) await next();
    expect((await list.get({ fresh: true }))[0]?.Id).toBe('4');
  });

  it('a list that was under way at the change is not kept', async () => {
    const { next, list } = numbered();
    for (let n = 0; n < 2; n++) await next();
    const underWay = list.get();
    list.forget();
    expect((await underWay)[0]?.Id).toBe('3');
    expect(await next()).toBe('4');
  });

  it('nothing is kept once the engine tells no more', async () => {
    const { next, changes } = numbered();
    for (let n = 0; n < 4; n++) await next();
    changes.destroy();
    await turn();
    expect(await next()).toBe('4');
  });
});
