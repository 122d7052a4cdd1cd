import { describe, expect, it } from 'vitest';
import { maxWindowBytes, ReceiveWindow, windowBytes } from '../../../src/ssh/receive-window.ts';

/** Sends all that may be sent, and is granted for what was read of it. */
function fill(window: ReceiveWindow, unreadBytes: number): number {
  window.take(window.left);
  return window.grant(unreadBytes);
}

describe('the window of a channel', () => {
  it('grows for a reader that keeps up, up to its bound', () => {
    const window = new ReceiveWindow(true);
    const sizes = [0, 1, 2, 3].map(() => {
      fill(window, 0);
      return window.left;
    });
    expect(sizes).toEqual([2 * windowBytes, maxWindowBytes, maxWindowBytes, maxWindowBytes]);
  });

  it('slow-reader: with what waits unread it is never more than the bound, and shrinks to where it began', () => {
    const window = new ReceiveWindow(true);
    for (let round = 0; round < 5; round++) fill(window, 0);
    // All that was granted comes, and nothing of it is read.
    expect(fill(window, maxWindowBytes)).toBe(0);
    // As it is read, no more is granted than at the beginning.
    expect(window.grant(windowBytes)).toBe(0);
    expect(window.grant(windowBytes / 2)).toBe(windowBytes / 2);
    expect(window.left + windowBytes / 2).toBe(windowBytes);
  });

  it('stays as it is for a peer that sends little', () => {
    const window = new ReceiveWindow(true);
    for (let round = 0; round < 100; round++) {
      window.take(1_000);
      window.grant(0);
    }
    expect(window.left).toBeGreaterThan(windowBytes * 0.8);
    expect(window.left).toBeLessThanOrEqual(windowBytes);
  });

  it('a session that has not started is granted nothing', () => {
    const window = new ReceiveWindow(false);
    expect([window.left, window.take(1), window.grant(0)]).toEqual([0, false, 0]);
    window.open();
    expect(window.grant(0)).toBe(windowBytes);
  });
});
