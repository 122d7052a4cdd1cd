import { describe, expect, it } from 'vitest';
import {
  eventLine,
  headerLine,
  parseEvent,
  parseHeader,
  parseOurs,
} from '../../../src/recordings/asciicast.ts';
import { recordingFacts } from '../../support/recordings.ts';

const terminal = { columns: 101, rows: 31, term: 'xterm' };

describe('an asciicast', () => {
  it('begins with a header that other players read, and that says whose it is', () => {
    const line = headerLine({
      facts: { ...recordingFacts, terminal },
      mode: 'required',
      startedAtMs: 1_700_000_000_500,
    });
    expect(line.endsWith('}\n')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({
      version: 2,
      width: 101,
      height: 31,
      timestamp: 1_700_000_000,
      command: 'id',
      env: { TERM: 'xterm' },
      postern: {
        id: recordingFacts.id,
        account: 'alice',
        fingerprint: 'SHA256:test',
        target: 'web',
        required: true,
      },
    });
  });

  it.each([
    ['a terminal', { ...recordingFacts, kind: 'terminal' as const, terminal }],
    ['none', recordingFacts],
    ['none, on one gateway of several', { ...recordingFacts, gateway: 'north' }],
    ['a user', { ...recordingFacts, user: 'app' }],
    ['a command of many lines', { ...recordingFacts, command: 'a\n[0,"o","forged"]\n\u009b"' }],
  ])('its header comes back as it was, with %s', (_name, facts) => {
    const line = headerLine({ facts, mode: 'on', startedAtMs: 5 });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(parseHeader(line)).toEqual({ facts, mode: 'on', startedAtMs: 5 });
  });

  it('has one line an event, whatever is in it', () => {
    const text = 'line\r\nand "quotes" \x1b[1m \u2028 \ud83d\ude00';
    const line = eventLine(1.5, 'o', text);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(parseEvent(line)).toEqual({ seconds: 1.5, code: 'o', text });
    expect(eventLine(-1, 'o', '')).toBe('[0.000000,"o",""]\n');
  });

  it.each(['', 'x', '[1,"o"', '{}', '[]', '["1","o","x"]', '[-1,"o","x"]', '[1,2,"x"]', 'null'])(
    'what is no event is none: %s',
    (line) => expect(parseEvent(line)).toBeUndefined(),
  );

  it.each([
    '',
    '{}',
    '{"version":2}',
    '{"postern":{"kind":"other"}}',
    '[1,"o","x"]',
    'null',
    '{"postern":null}',
  ])('what is no header of ours is none: %s', (line) => expect(parseHeader(line)).toBeUndefined());

  it('forged-end: what a program prints is no event of ours', () => {
    expect(parseOurs({ seconds: 1, code: 'o', text: '{"end":{}}' })).toBeUndefined();
    expect(parseOurs({ seconds: 1, code: 'x', text: 'no json' })).toBeUndefined();
    expect(parseOurs({ seconds: 1, code: 'x', text: '{"end":{}}' })).toEqual({ end: {} });
  });
});
