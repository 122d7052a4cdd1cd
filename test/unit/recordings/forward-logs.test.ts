import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createForwardLogs } from '../../../src/recordings/forward-logs.ts';
import { type Recording, RecordingImpossible } from '../../../src/recordings/recordings.ts';
import { recordingFacts } from '../../support/recordings.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorders() {
  const opened: { id: string; lines: string[]; ended: boolean; fail: () => void }[] = [];
  let fault: Error | undefined;
  const open = async (facts: { id: string }, mode: 'on' | 'required'): Promise<Recording> => {
    if (fault) throw fault;
    const failing = new AbortController();
    const one = { id: facts.id, lines: [] as string[], ended: false, fail: () => failing.abort('full') };
    opened.push(one);
    return {
      id: facts.id,
      mode,
      failed: failing.signal,
      write: (code, text) => {
        if (code === 'o') one.lines.push(text.trimEnd());
        return undefined;
      },
      finish: async () => {
        one.ended = true;
      },
    };
  };
  return {
    opened,
    logs: createForwardLogs({ open }),
    break: () => {
      fault = new RecordingImpossible('full');
    },
    mend: () => {
      fault = undefined;
    },
  };
}

const traffic = { bytesIn: 3, bytesOut: 4, durationMs: 1_500 };
const facts = (id: string, more: object = {}) => ({
  ...recordingFacts,
  kind: 'forwards' as const,
  id,
  ...more,
});

describe('the log of forwards', () => {
  it('is one for all that a connection forwards into a target, and another for others', async () => {
    const { logs, opened } = recorders();
    const first = (await logs.open(facts('1'), 'on')).opened('forward localhost:80');
    const second = (await logs.open(facts('2'), 'on')).opened('forward localhost:81');
    await logs.open(facts('3', { connectionId: 'another' }), 'on');
    await logs.open(facts('4', { targetKey: 'container:db' }), 'on');
    first(traffic);
    second(traffic);
    expect(opened.map(({ id }) => id)).toEqual(['1', '3', '4']);
    expect(opened[0]?.lines).toEqual([
      'opened forward localhost:80',
      'opened forward localhost:81',
      'closed forward localhost:80: 3 bytes in, 4 out, 1.5 s',
      'closed forward localhost:81: 3 bytes in, 4 out, 1.5 s',
    ]);
  });

  it('ends a minute after the last was closed, not before, and then begins anew', async () => {
    const { logs, opened } = recorders();
    const close = (await logs.open(facts('1'), 'on')).opened('x');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(opened[0]?.ended).toBe(false);
    close(traffic);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(opened[0]?.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(opened[0]?.ended).toBe(true);
    await logs.open(facts('2'), 'on');
    expect(opened.map(({ id }) => id)).toEqual(['1', '2']);
  });

  it('is opened anew after it failed, or could not be opened', async () => {
    const { logs, opened, ...disk } = recorders();
    disk.break();
    await expect(logs.open(facts('1'), 'required')).rejects.toThrow(RecordingImpossible);
    disk.mend();
    await logs.open(facts('2'), 'required');
    opened[0]?.fail();
    await logs.open(facts('3'), 'required');
    expect(opened.map(({ id }) => id)).toEqual(['2', '3']);
  });

  it('log-injection: what is told stays one line', async () => {
    const { logs, opened } = recorders();
    (await logs.open(facts('1'), 'on')).opened('forward x\r\nclosed everything\x1b[2J');
    expect(opened[0]?.lines).toEqual(['opened forward x\\x0d\\x0aclosed everything\\x1b[2J']);
  });
});
