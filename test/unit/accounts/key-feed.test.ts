import { describe, expect, it } from 'vitest';
import { createKeyFeed } from '../../../src/accounts/key-feed.ts';
import type { KeyRow } from '../../../src/store/schema.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { putAccount, putKey, startOfTests } from '../../support/people.ts';

const soon = new Date(startOfTests + 1).toISOString();
const now = new Date(startOfTests).toISOString();

async function feedWith(facts: Partial<KeyRow>) {
  const store = createMemoryStore();
  const key = await putKey(store, await putAccount(store, 'alice'), 'k', facts);
  const feed = await createKeyFeed({ store, clock: { now: () => startOfTests } })('alice');
  return feed?.includes(key.publicKey);
}

describe('the key feed', () => {
  it.each<Partial<KeyRow>>([
    {},
    { expiresAt: soon },
    { restrictions: { noTouchRequired: true } },
    { restrictions: { environment: ['A=b'] } },
  ])('has a key with %j', async (facts) => expect(await feedWith(facts)).toBe(true));

  it.each<Partial<KeyRow>>([
    { expiresAt: now },
    { expiresAt: '2001-01-01T00:00:00.000Z' },
    { kind: 'api' },
    { tag: 'ci' },
    { restrictions: { from: '*' } },
    { restrictions: { command: '' } },
    { restrictions: { noPty: true } },
    { restrictions: { noPortForwarding: true } },
    { restrictions: { noAgentForwarding: true } },
    { restrictions: { permitOpen: [] } },
    { restrictions: { permitListen: [] } },
    { restrictions: { verifyRequired: true } },
  ])('has none with %j', async (facts) => expect(await feedWith(facts)).toBe(false));

  it('is empty for an account without keys, and not there for one that is disabled', async () => {
    const store = createMemoryStore();
    const feed = createKeyFeed({ store, clock: { now: () => startOfTests } });
    await putAccount(store, 'bob');
    await putKey(store, await putAccount(store, 'dora', 'member', { disabled: true }), 'k');
    expect([await feed('bob'), await feed('dora'), await feed('nosuch')]).toEqual([[], undefined, undefined]);
  });
});
