import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../../src/errors.ts';
import type { ContainerFacts } from '../../../../src/targets/container/container-facts.ts';
import { createEndingWatch } from '../../../../src/targets/container/ending-watch.ts';

describe('the watch for the end of a container', () => {
  const facts = { id: 'abc', startedAt: 'then', name: 'web' } as ContainerFacts;
  let found: GatewayError | undefined;
  const heard: GatewayError[] = [];
  const follow = () =>
    createEndingWatch({ findEnding: async () => found }, 1_000).follow(facts, (ending) => heard.push(ending));

  beforeEach(() => {
    vi.useFakeTimers();
    found = undefined;
    heard.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    new GatewayError('container-ended', { name: 'web' }),
    new GatewayError('container-gone', { name: 'web' }),
  ])('tells it once: $code', async (ending) => {
    follow();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(heard).toEqual([]);
    found = ending;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(heard).toEqual([ending]);
  });

  it.each([
    new GatewayError('engine-unavailable', { reason: 'no answer' }),
    new GatewayError('engine-failed', { reason: 'status 500' }),
  ])('an engine that does not answer ends nothing: $code', async (failure) => {
    found = failure;
    const leave = follow();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heard).toEqual([]);
    leave();
  });
});
