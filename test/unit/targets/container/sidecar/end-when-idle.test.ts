import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { endWhenIdle } from '../../../../../src/targets/container/sidecar/end-when-idle.ts';

const idleMs = 60_000;
let closedAfterMs: number | undefined;
let beganAt = 0;
const connection = {
  load: 0,
  asked: 0,
  close() {
    closedAfterMs ??= performance.now() - beganAt;
  },
  onClose() {},
};

beforeEach(() => {
  vi.useFakeTimers();
  closedAfterMs = undefined;
  connection.load = 0;
  beganAt = performance.now();
  endWhenIdle(connection, idleMs);
});
afterEach(() => vi.useRealTimers());

it('what is asked for nothing ends after that long', () => {
  vi.advanceTimersByTime(2 * idleMs);
  expect(closedAfterMs).toBe(idleMs);
});

it('what is asked again and again, for what is over before anybody looks, stays', () => {
  for (let seconds = 0; seconds < 180; seconds++) {
    connection.asked++;
    vi.advanceTimersByTime(1_000);
  }
  expect(closedAfterMs).toBeUndefined();
});

it('a stream that lasts keeps it, without being asked for again', () => {
  connection.load = 1;
  vi.advanceTimersByTime(3 * idleMs);
  expect(closedAfterMs).toBeUndefined();
});
