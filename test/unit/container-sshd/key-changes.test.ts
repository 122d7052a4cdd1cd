import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchKeyChanges } from '../../../src/container-sshd/key-changes.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { container, putAccount, putGrant, putKey } from '../../support/people.ts';

describe('changes that matter to who gets in', () => {
  it('are those of keys, accounts and grants; a key that was used is no news', async () => {
    const store = createMemoryStore();
    let news = 0;
    const stop = watchKeyChanges(
      store,
      () => (news += 1),
      (error) => {
        throw error;
      },
    );
    const newsOf = async (change: () => Promise<unknown>) => {
      const before = news;
      await change();
      await pause(5);
      return news - before;
    };
    const ada = await putAccount(store, 'ada');
    const key = await putKey(store, ada, 'laptop');
    await pause(5);
    const put = (facts: Partial<typeof key>) =>
      store.transact((transaction) => transaction.put('keys', { ...key, ...facts }));
    expect(await newsOf(() => put({ lastUsedAt: '2026-01-01T00:00:00Z' }))).toBe(0);
    expect(await newsOf(() => put({ lastUsedAt: '2026-01-02T00:00:00Z' }))).toBe(0);
    expect(await newsOf(() => put({ name: 'desk' }))).toBe(1);
    expect(await newsOf(() => putGrant(store, container('web'), ada))).toBe(1);
    expect(await newsOf(() => store.transact((transaction) => transaction.remove('keys', key.id)))).toBe(1);
    expect(await newsOf(() => put({}))).toBe(1);
    stop();
    expect(await newsOf(() => put({ name: 'x' }))).toBe(0);
  });
});
