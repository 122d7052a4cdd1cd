import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExitWatch } from '../../../../src/targets/container/exit-watch.ts';

describe('the watch for an exit', () => {
  let running = true;
  let held = false;
  let asked = 0;
  let completed = 0;
  const watch = () =>
    createExitWatch({
      isRunning: async () => {
        asked += 1;
        return running;
      },
      isHeld: () => held,
      onExit: () => {},
      onComplete: () => {
        completed += 1;
      },
    });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    [running, held, asked, completed] = [true, false, 0, 0];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks a silent program a few times, then seldom', async () => {
    const watched = watch();
    await pass(29_000);
    expect([asked, completed]).toEqual([4, 0]);
    await pass(60_000);
    expect([asked, completed]).toEqual([6, 0]);
    watched.stop();
  });

  it('silent-connection: an exit that nothing tells of is found all the same', async () => {
    const watched = watch();
    await pass(10_000);
    running = false;
    await pass(22_000);
    expect(completed).toBe(1);
    watched.stop();
  });

  it('asks soon again when a program that was long silent writes', async () => {
    const watched = watch();
    await pass(10_000);
    running = false;
    watched.noteOutput();
    await pass(250);
    expect(completed).toBe(1);
    watched.stop();
  });

  it('an exit with silence after it is complete within half a second', async () => {
    const watched = watch();
    running = false;
    await pass(250);
    expect(completed).toBe(1);
    watched.stop();
  });

  it('a background child that never stops writing holds it two seconds more', async () => {
    const watched = watch();
    running = false;
    for (let at = 0; at < 3_500 && !completed; at += 50) {
      watched.noteOutput();
      await pass(50);
    }
    expect(completed).toBe(1);
    watched.stop();
  });

  it('goes on asking while output waits for a client that does not read', async () => {
    const watched = watch();
    held = true;
    await pass(10_000);
    expect(asked).toBeGreaterThan(15);
    watched.stop();
    const before = asked;
    await pass(10_000);
    expect(asked).toBe(before);
  });
});
