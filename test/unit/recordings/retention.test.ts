import { describe, expect, it } from 'vitest';
import { choosePruned } from '../../../src/recordings/retention.ts';

const day = 86_400_000;
/** Of a day each, ten bytes each, oldest first. */
const files = [1, 2, 3, 4, 5].map((n) => ({ id: `r${n}`, startedAtMs: n * day, bytes: 10 }));
const pruned = (rules: object) =>
  choosePruned(files, { nowMs: 6 * day, keptMs: 0, maxBytes: 0, isOpen: () => false, ...rules }).map(
    ({ id }) => id,
  );

describe('recordings are kept', () => {
  it('all of them without a limit', () => expect(pruned({})).toEqual([]));

  it('for as long as configured', () => expect(pruned({ keptMs: 3 * day })).toEqual(['r1', 'r2']));

  it('as many as fit, the oldest going first', () => {
    expect(pruned({ maxBytes: 50 })).toEqual([]);
    expect(pruned({ maxBytes: 25 })).toEqual(['r1', 'r2', 'r3']);
  });

  it('while they are written, whatever their age and size', () => {
    const isOpen = (id: string) => id === 'r1';
    expect(pruned({ isOpen, keptMs: 3 * day })).toEqual(['r2']);
    expect(pruned({ isOpen, maxBytes: 25 })).toEqual(['r2', 'r3', 'r4']);
    expect(pruned({ isOpen: () => true, maxBytes: 1, keptMs: 1 })).toEqual([]);
  });

  it('by both rules together', () => expect(pruned({ keptMs: 5 * day, maxBytes: 40 })).toEqual(['r1']));
});
