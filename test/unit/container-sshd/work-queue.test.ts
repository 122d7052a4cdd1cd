import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWorkQueue } from '../../../src/container-sshd/work-queue.ts';

describe('the queue', () => {
  it('does a few at a time, and what is asked for again while it runs once more', async () => {
    let running = 0;
    let most = 0;
    const done: string[] = [];
    const queue = createWorkQueue({
      concurrency: 2,
      async work(id) {
        most = Math.max(most, ++running);
        await pause(20);
        running -= 1;
        done.push(id);
      },
      retryAfterMs: () => undefined,
    });
    for (const id of ['a', 'b', 'c', 'a', 'b', 'a']) queue.add(id);
    await expect.poll(() => done.length).toBe(5);
    await pause(60);
    expect(done.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c']);
    expect(most).toBe(2);
  });

  it('tries again what failed, counting; begins to count anew after it went well', async () => {
    const attempts: number[] = [];
    let failures = 3;
    const queue = createWorkQueue({
      concurrency: 1,
      async work() {
        if (failures-- > 0) throw new Error('no');
      },
      retryAfterMs(_error, attempt) {
        attempts.push(attempt);
        return 5;
      },
    });
    queue.add('a');
    await expect.poll(() => failures).toBe(-1);
    failures = 1;
    queue.add('a');
    await expect.poll(() => failures).toBe(-1);
    expect(attempts).toEqual([1, 2, 3, 1]);
  });

  it('begins nothing once it is closed', async () => {
    let runs = 0;
    const queue = createWorkQueue({
      concurrency: 1,
      async work() {
        runs += 1;
        throw new Error('no');
      },
      retryAfterMs: () => 10,
    });
    queue.add('a');
    await expect.poll(() => runs).toBe(1);
    queue.close();
    queue.add('b');
    await pause(50);
    expect(runs).toBe(1);
  });
});
