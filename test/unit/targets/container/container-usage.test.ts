import { expect, it } from 'vitest';
import { parseUsage } from '../../../../src/targets/container/container-usage.ts';

const mib = 1024 * 1024;

it.each([
  ['the first version', { total_active_file: 30 * mib, total_inactive_file: 20 * mib, active_file: 1 }],
  ['the second version', { active_file: 30 * mib, inactive_file: 20 * mib, anon: 7 }],
])('what is only kept of files counts as room, in %s of control groups', (_version, stats) => {
  const answer = { memory_stats: { usage: 200 * mib, stats }, pids_stats: { current: 12 } };
  expect(parseUsage(answer)).toEqual({ memoryBytes: 150 * mib, pids: 12 });
});

it('where nobody says how much of it are files, nothing is known of memory, as with Podman', () => {
  const answer = { memory_stats: { usage: 268_000_000, limit: 268_435_456 }, pids_stats: { current: 1 } };
  expect(parseUsage(answer)).toEqual({ memoryBytes: undefined, pids: 1 });
});

it.each([
  undefined,
  null,
  'text',
  {},
  { memory_stats: null, pids_stats: [] },
  { memory_stats: { usage: '1', stats: 3 }, pids_stats: { current: Number.NaN } },
])('an engine that says %j says nothing', (answer) => {
  expect(parseUsage(answer)).toEqual({ memoryBytes: undefined, pids: undefined });
});
