import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { noteCarried } from '../../../src/platform/collect-buffers.ts';

it('what was carried is freed without the whole heap being marked', async () => {
  const kinds: unknown[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kinds.push((entry as { detail?: { kind: number } }).detail?.kind);
  });
  observer.observe({ entryTypes: ['gc'] });
  const before = performance.now();
  for (let n = 0; n < 16; n++) {
    Buffer.allocUnsafeSlow(1024 * 1024).fill(1);
    noteCarried(1024 * 1024);
  }
  // 1: of the young generation. V8 may be about one of the whole heap by itself.
  const young = () => kinds.filter((kind) => kind === 1).length;
  while (young() < 2 && performance.now() - before < 5_000) await turn();
  observer.disconnect();
  expect(young()).toBeGreaterThanOrEqual(2);
  expect('gc' in globalThis).toBe(false);
});
