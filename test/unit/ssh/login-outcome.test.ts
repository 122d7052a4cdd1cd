import { describe, expect, it } from 'vitest';
import { graceWithJitter, type LoginConduct, LoginOutcome } from '../../../src/ssh/login-outcome.ts';

const after = (...conducts: readonly LoginConduct[]) => {
  const outcome = new LoginOutcome();
  for (const conduct of conducts) outcome.note(conduct);
  return outcome.offence;
};

describe('what a connection that ends without a login is penalised for', () => {
  it.each<[string, LoginConduct[], string | undefined]>([
    ['nothing was tried', [], 'noauth'],
    ['keys were offered', ['offered', 'offered'], undefined],
    ['a signature failed, among others', ['offered', 'authfail', 'offered'], 'authfail'],
    ['an invite was guessed', ['offered', 'invaliduser'], 'invaliduser'],
    ['time was up, whatever had been tried', ['authfail', 'grace-exceeded'], 'grace-exceeded'],
    ['it ended in an error of ours', ['crash', 'grace-exceeded'], 'crash'],
  ])('%s', (_what, conducts, offence) => expect(after(...conducts)).toBe(offence));
});

it('LoginGraceTime ends up to 4 s later, a short one in proportion', () => {
  const of = (graceMs: number) => Array.from({ length: 500 }, () => graceWithJitter(graceMs) - graceMs);
  expect(Math.min(...of(120_000))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...of(120_000))).toBeLessThanOrEqual(4_000);
  expect(new Set(of(120_000)).size).toBeGreaterThan(400);
  expect(Math.max(...of(300))).toBeLessThanOrEqual(10);
});
