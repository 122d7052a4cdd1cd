import { EventEmitter } from 'node:events';
import type { Connection } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rekeyAutomatically } from '../../../src/ssh/rekeying.ts';

/** What is asked of ssh2 here: to begin an exchange, and to say when one is over. */
class Client extends EventEmitter {
  asked = 0;
  rekey() {
    this.asked++;
  }
}

describe('new keys from our side', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const begin = () => {
    const client = new Client();
    const unanswered = vi.fn();
    const limits = { bytes: 1_000, intervalMs: 3_600_000 };
    return {
      client,
      unanswered,
      rekeying: rekeyAutomatically(client as unknown as Connection, limits, unanswered),
    };
  };

  it('are asked for once after so many bytes, and counted anew after each exchange', () => {
    const { client, rekeying, unanswered } = begin();
    rekeying.count(999);
    expect(client.asked).toBe(0);
    rekeying.count(1);
    rekeying.count(5_000);
    expect(client.asked).toBe(1);
    client.emit('rekey');
    rekeying.count(999);
    expect(client.asked).toBe(1);
    vi.advanceTimersByTime(3_600_000);
    expect(client.asked).toBe(2);
    client.emit('rekey');
    vi.advanceTimersByTime(60_000);
    expect(unanswered).not.toHaveBeenCalled();
  });

  it('unanswered-kexinit: a peer that ignores ours, while output waits for the keys, is given up', () => {
    const { rekeying, unanswered } = begin();
    rekeying.count(1_000);
    vi.advanceTimersByTime(29_000);
    expect(unanswered).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(unanswered).toHaveBeenCalledTimes(1);
  });

  it('leave no timer behind on a connection that ends', () => {
    const { rekeying, unanswered } = begin();
    rekeying.count(1_000);
    rekeying.stop();
    vi.advanceTimersByTime(10_000_000);
    expect(unanswered).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
