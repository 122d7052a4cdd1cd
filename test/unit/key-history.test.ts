/** The checker of histories itself: one that finds nothing would prove nothing. */
import { describe, expect, it } from 'vitest';
import { findContradictions, type KeyHistory } from '../support/key-history.ts';

const change = (startedAtMs: number, outcome: 'made' | 'refused' | 'unknown' = 'made') => ({
  startedAtMs,
  endedAtMs: startedAtMs + 100,
  outcome,
});
const login = (startedAtMs: number, outcome: 'in' | 'denied' | 'away') => ({
  ...{ startedAtMs, outcome, endedAtMs: startedAtMs + 50 },
  at: 'a',
});
const found = (history: Omit<KeyHistory, 'name'>, isListed = false) =>
  findContradictions([{ name: 'k', ...history }], new Set(isListed ? ['k'] : []));

describe('a history of keys', () => {
  it('is possible where a key is good from its addition until a second after its removal', () => {
    const logins = [
      login(0, 'denied'),
      login(300, 'in'),
      login(2_000, 'in'),
      login(2_900, 'denied'),
      login(4_000, 'denied'),
    ];
    expect(found({ added: change(100), removed: change(1_500), logins })).toEqual([]);
  });

  it.each<[string, Omit<KeyHistory, 'name'>, boolean?]>([
    ['came in at a 1200 ms after', { added: change(0), removed: change(500), logins: [login(1_800, 'in')] }],
    ['without having been added', { logins: [login(0, 'in')] }],
    ['without having been added', { added: change(0, 'refused'), logins: [login(500, 'in')] }],
    ['was denied at a though', { added: change(0), logins: [login(500, 'denied')] }, true],
    ['is lost', { added: change(0), logins: [] }],
    ['was removed, and is there', { added: change(0), removed: change(500), logins: [] }, true],
    ['was refused, and is there', { added: change(0, 'refused'), logins: [] }, true],
  ])('is impossible where a key %s', (sentence, history, isListed) => {
    expect(found(history, isListed)).toEqual([expect.stringContaining(sentence)]);
  });

  it('says nothing of what nobody can know', () => {
    const unknown = { added: change(0, 'unknown'), removed: change(500, 'unknown') };
    const logins = [login(200, 'in'), login(300, 'denied'), login(5_000, 'in'), login(6_000, 'away')];
    expect([found({ ...unknown, logins }), found({ ...unknown, logins }, true)]).toEqual([[], []]);
  });
});
