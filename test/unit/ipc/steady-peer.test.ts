import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listenFor, makeSocketPath, steadyTo } from './connections.ts';

describe('a steady peer', () => {
  it('waits for the first supervisor, and fails where none comes in time', async () => {
    const path = await makeSocketPath();
    const peer = steadyTo(path);
    await expect(peer.request('name', {}, { deadlineMs: 30 })).rejects.toMatchObject({
      code: 'process-silent',
    });
    const name = peer.request('name');
    peer.notify('note', 1);
    const notes: unknown[] = [];
    await listenFor(path, { name: () => 'first', note: (params) => notes.push(params) });
    expect(await name).toBe('first');
    expect(notes).toEqual([1]);
  });

  it('loses nothing and does nothing twice while one supervisor takes over from another, under load', async () => {
    const path = await makeSocketPath();
    const done: number[] = [];
    const noted: number[] = [];
    const methods = {
      add: async (params: unknown) => {
        await delay((params as number) % 2);
        done.push(params as number);
        return params;
      },
      note: (params: unknown) => noted.push(params as number),
    };
    let listener = await listenFor(path, methods);
    const peer = steadyTo(path);
    const asked: Promise<unknown>[] = [];
    let over = false;
    const load = (async () => {
      while (!over) {
        for (let count = 0; count < 20; count++) {
          peer.notify('note', asked.length);
          asked.push(peer.request('add', asked.length));
        }
        await delay(1);
      }
    })();
    for (let round = 0; round < 20; round++) {
      await delay(10);
      await listener.leave(5_000);
      listener = await listenFor(path, methods);
    }
    over = true;
    await load;
    const all = asked.map((_, index) => index);
    expect(await Promise.all(asked)).toEqual(all);
    expect(done.toSorted((a, b) => a - b)).toEqual(all);
    expect(noted).toEqual(all);
  });

  it('asks again after a crash what may be asked twice, and says of the rest that nobody answered', async () => {
    const path = await makeSocketPath();
    const losses: boolean[] = [];
    const peer = steadyTo(path, { onLost: (inOrder) => losses.push(inOrder) });
    const never = () => new Promise(() => {});
    const crashing = await listenFor(path, { read: never, change: never });
    const read = peer.request('read', {}, { repeatable: true });
    const change = expect(peer.request('change')).rejects.toMatchObject({ code: 'process-silent' });
    await peer.connected(10_000);
    await crashing.close();
    await change;
    const next = await listenFor(path, { read: () => 'the next one' });
    expect(await read).toBe('the next one');
    await next.leave(1_000);
    await expect.poll(() => losses).toEqual([false, true]);
  });

  it('tells the next supervisor first what its listeners have to say', async () => {
    const path = await makeSocketPath();
    const peer = steadyTo(path);
    peer.onConnect((connection) => void connection.request('holds', 'a slot'));
    const heard: unknown[] = [];
    const methods = { holds: (params: unknown) => heard.push(params), read: () => heard.length };
    for (let round = 1; round <= 2; round++) {
      heard.length = 0;
      const read = peer.request('read', {}, { repeatable: true });
      const listener = await listenFor(path, methods);
      expect(await read).toBe(1);
      await listener.close();
    }
  });

  it('is cut by a supervisor that leaves, where it does not stop in time', async () => {
    const path = await makeSocketPath();
    const listener = await listenFor(path, { never: () => new Promise(() => {}) });
    const peer = steadyTo(path);
    const asked = expect(peer.request('never')).rejects.toMatchObject({ code: 'process-silent' });
    await peer.connected(10_000);
    await listener.leave(50);
    await asked;
  });
});
