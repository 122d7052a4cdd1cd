import { expect, it } from 'vitest';
import { createResetBudget } from '../../../../../src/targets/container/sidecar/reset-budget.ts';

it('a connection is worn by many resets at a time, and recovers when there are few', () => {
  let now = 0;
  const budget = createResetBudget(() => now);
  for (let count = 0; count < 299; count++) budget.note();
  expect(budget.isWorn).toBe(false);
  budget.note();
  expect(budget.isWorn).toBe(true);
  now += 1_000;
  expect(budget.isWorn).toBe(false);
});

it('a few resets in each second never wear it', () => {
  let now = 0;
  const budget = createResetBudget(() => now);
  for (let second = 0; second < 10_000; second++) {
    for (let count = 0; count < 20; count++) budget.note();
    now += 1_000;
    expect(budget.isWorn).toBe(false);
  }
});
