import { expect, it } from 'vitest';
import { createSideMap } from '../../../src/platform/side-map.ts';

it('keeps for an object what was set last, each map its own', () => {
  const [one, other] = [createSideMap<object, number>('same'), createSideMap<object, number>('same')];
  const key = {};
  expect([one.has(key), one.get(key)]).toEqual([false, undefined]);
  one.set(key, 0);
  expect([one.has(key), one.get(key), other.has(key)]).toEqual([true, 0, false]);
  one.set(key, 2);
  expect([one.get(key), one.has({})]).toEqual([2, false]);
});

it('shows nothing of it where the object is listed, written as JSON or compared by its names', () => {
  const key = { a: 1 };
  createSideMap<object, string>('secret').set(key, 'x');
  expect([Object.keys(key), JSON.stringify(key)]).toEqual([['a'], '{"a":1}']);
});
