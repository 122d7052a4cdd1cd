import { describe, expect, it } from 'vitest';
import type { Recording } from '../../../src/recordings/recordings.ts';
import { createScpLog } from '../../../src/recordings/scp-log.ts';
import { tapExec, tapFiles, tapTerminal } from '../../../src/recordings/session-taps.ts';

function recorder() {
  const events: [string, string][] = [];
  const recording = {
    write: (code: string, text: string) => {
      events.push([code, text]);
      return undefined;
    },
  } as Pick<Recording, 'write'> as Recording;
  const of = (wanted: string) => events.flatMap(([code, text]) => (code === wanted ? [text] : []));
  return { recording, events, of };
}

const rules = { input: false, maxExecBytes: 1_000 };

describe('a terminal', () => {
  it('utf-8: a character that is cut by a chunk stays whole, wherever it is cut', () => {
    const text = 'ä漢\u{1f600}€é';
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { recording, of } = recorder();
      const tap = tapTerminal(recording, rules);
      tap.output(bytes.subarray(0, cut));
      tap.output(bytes.subarray(cut));
      expect(of('o').join('')).toBe(text);
    }
    const { recording, of } = recorder();
    const tap = tapTerminal(recording, rules);
    for (const byte of Buffer.from([0x41, 0xff, 0xc3, 0x42])) tap.output(Buffer.from([byte]));
    expect(of('o').join('')).toBe('A\ufffd\ufffdB');
  });

  it('is recorded with its sizes, and without what is typed unless that is asked for', () => {
    const off = recorder();
    expect(tapTerminal(off.recording, rules).input).toBeUndefined();
    const on = recorder();
    const tap = tapTerminal(on.recording, { ...rules, input: true });
    tap.resized(100, 30);
    tap.input?.(Buffer.from('typed'));
    expect(on.events).toEqual([
      ['r', '100x30'],
      ['i', 'typed'],
    ]);
  });
});

describe('a program without a terminal', () => {
  it('is recorded with line ends as a terminal shows them, also where a chunk ends between them', () => {
    const { recording, of } = recorder();
    const tap = tapExec(recording, rules);
    for (const part of ['a\nb\r', '\nc\r\n', '\n', 'd']) tap.output(Buffer.from(part));
    tap.errors(Buffer.from('e\n'));
    expect(of('o').join('')).toBe('a\r\nb\r\nc\r\n\r\nde\r\n');
  });

  it('so far as is configured, both outputs together, and says so once', () => {
    const { recording, of } = recorder();
    const tap = tapExec(recording, rules);
    for (let n = 0; n < 20; n++) {
      tap.output(Buffer.alloc(90, 'x'));
      tap.errors(Buffer.alloc(90, 'y'));
    }
    expect(of('o').join('')).toHaveLength(1_000);
    expect(of('m')).toEqual(['more output is left out: over 1000 bytes']);
  });
});

describe('a file transfer', () => {
  it('that is none is recorded as a program, from where that is seen', () => {
    const { recording, of } = recorder();
    const tap = tapFiles(recording, tapExec(recording, rules), (listener) =>
      createScpLog({ direction: 'download', path: 'x' }, listener),
    );
    tap.input?.(Buffer.from('typed'));
    tap.output(Buffer.from('root# '));
    tap.output(Buffer.from('\nhidden\n'));
    tap.output(Buffer.from('no more\n'));
    expect(of('m')).toEqual(['this is no file transfer: its output follows as it is']);
    expect(of('o').join('')).toContain('hidden\r\nno more\r\n');
    expect(of('i')).toEqual([]);
  });

  it('is told in a line for people and in one for programs', () => {
    const { recording, of } = recorder();
    const tap = tapFiles(recording, tapExec(recording, rules), (listener) =>
      createScpLog({ direction: 'upload', path: '/srv' }, listener),
    );
    tap.input?.(Buffer.from('C0644 2 f\nab\0'));
    tap.output(Buffer.from('\0\0\0'));
    expect(of('o')).toEqual(['upload /srv/f (2 bytes): ok\r\n']);
    expect(of('x').map((each) => JSON.parse(each))).toEqual([
      { file: { op: 'upload', path: '/srv/f', bytes: 2, outcome: 'ok' } },
    ]);
  });
});
