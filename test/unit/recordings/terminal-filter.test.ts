import { describe, expect, it } from 'vitest';
import { createTerminalFilter } from '../../../src/recordings/terminal-filter.ts';

const play = (text: string) => createTerminalFilter('play')(text);
/** The same, a character at a time. */
const inPieces = (text: string) => [...text].map(createTerminalFilter('play')).join('');

describe('what a playback shows', () => {
  it.each([
    'plain text\r\n\tand tabs\b\b',
    'Grüße, 漢字, \u{1f600}',
    '\x1b[1;31mred\x1b[m \x1b[38;2;1;2;3mtrue\x1b[0m \x1b[38:5:7mcolour',
    '\x1b[H\x1b[2J\x1b[10;20H\x1b[K\x1b[3A\x1b[5;10r\x1b[2L\x1b[1M\x1b[4P\x1b[4@\x1b[2X\x1b[1S\x1b[1T\x1b[6b',
    '\x1b7\x1b8\x1bD\x1bM\x1bE\x1bH\x1b=\x1b>\x1bc',
    '\x1b(0lqqk\x1b(B\x1b)0\x0e\x0f\x1b#8',
    '\x1b[?1049h\x1b[?25l\x1b[?7h\x1b[?25h\x1b[?1049l\x1b[?25;7l\x1b[4h',
    '\x1b[2 q\x1b[!p',
  ])('draws: %j', (text) => {
    expect(play(text)).toBe(text);
    expect(inPieces(text)).toBe(text);
  });
});

/** What no terminal of a viewer may get, each with what follows it. */
const hostile: readonly (readonly [string, string])[] = [
  ['the title', '\x1b]0;pwned\x07'],
  ['the title, ended by ST', '\x1b]2;pwned\x1b\\'],
  ['the clipboard', '\x1b]52;c;cm0gLXJmIC8=\x07'],
  ['the clipboard, asked for', '\x1b]52;c;?\x1b\\'],
  ['a colour, asked for', '\x1b]11;?\x07'],
  ['a hyperlink', '\x1b]8;;http://evil.example\x1b\\'],
  ['a notification', '\x1b]777;notify;x;y\x07'],
  ['DECRQSS', '\x1bP$q"p\x1b\\'],
  ['XTGETTCAP', '\x1bP+q544e\x1b\\'],
  ['a sixel picture', '\x1bPq#0;2;0;0;0\x1b\\'],
  ['an application command', '\x1b_Gi=1;AAAA\x1b\\'],
  ['a privacy message', '\x1b^hidden\x1b\\'],
  ['a start of string', '\x1bXhidden\x1b\\'],
  ['DA', '\x1b[c'],
  ['DA2', '\x1b[>c'],
  ['DA3', '\x1b[=c'],
  ['DECID', '\x1bZ'],
  ['ENQ', '\x05'],
  ['DSR', '\x1b[5n'],
  ['the cursor, asked for', '\x1b[6n'],
  ['DECDSR', '\x1b[?6n'],
  ['DECRQM', '\x1b[?2026$p'],
  ['DECRQM of ANSI', '\x1b[4$p'],
  ['DECREQTPARM', '\x1b[x'],
  ['DECRQCRA', '\x1b[1;1;1;1;9;9*y'],
  ['XTVERSION', '\x1b[>q'],
  ['the keyboard, asked for', '\x1b[?u'],
  ['the keyboard, changed', '\x1b[>1u'],
  ['the title, reported', '\x1b[21t'],
  ['the window, resized', '\x1b[8;1;1t'],
  ['the window, iconified', '\x1b[2t'],
  ['mouse reports', '\x1b[?1000h'],
  ['mouse reports beside others', '\x1b[?25;1003h'],
  ['focus reports', '\x1b[?1004h'],
  ['bracketed paste', '\x1b[?2004h'],
  ['highlight tracking', '\x1b[1;1;1;2;3T'],
  ['printing', '\x1b[5i'],
  ['a modifier of keys', '\x1b[>4;2m'],
  ['a device of its own', '\x1b[1;2y'],
  ['an unknown escape', '\x1b%G'],
  ['8-bit: the title', '\u009d0;pwned\u009c'],
  ['8-bit: DCS', '\u0090$qm\u009c'],
  ['8-bit: APC', '\u009fx\u009c'],
  ['8-bit: PM', '\u009ex\u009c'],
  ['8-bit: SOS', '\u0098x\u009c'],
  ['8-bit: DA', '\u009bc'],
  ['8-bit: DECID', '\u009a'],
  ['controls inside of a query', '\x1b[\x006\x01n'],
];

describe('what a playback leaves out', () => {
  it.each(hostile)('%s', (_name, sequence) => {
    expect(play(`before${sequence}after`)).toBe('beforeafter');
    expect(inPieces(`before${sequence}after`)).toBe('beforeafter');
  });

  it('split anywhere between two events', () => {
    for (const [name, sequence] of hostile) {
      const text = `before${sequence}after`;
      for (let cut = 0; cut <= text.length; cut++) {
        const filter = createTerminalFilter('play');
        expect(filter(text.slice(0, cut)) + filter(text.slice(cut)), `${name} at ${cut}`).toBe('beforeafter');
      }
    }
  });

  it('nested: an end in the middle of a sequence begins no other', () => {
    expect(play('\x1b]0;a\x1b[6n')).toBe('');
    expect(play('\x1b[\x1b]0;x\x07y')).toBe('y');
    expect(play('\x1b\x1b]0;x\x07y')).toBe('y');
    expect(play('\x1b]0;x\x18\x1b[6ny')).toBe('y');
    expect(play('\x1b[1;\x1aplain')).toBe('plain');
    expect(play('\x1bP\x1b\x1b\\y')).toBe('y');
  });

  it('endless: a string without an end hides so much and no more, a sequence is not kept whole', () => {
    const shown = play(`\x1b]0;${'x'.repeat(200_000)}END`);
    expect(shown.length).toBeGreaterThan(100_000);
    expect(shown.endsWith('END')).toBe(true);
    expect(play(`\x1b[${'1;'.repeat(100_000)}mtext`)).toBe('text');
  });

  it('whatever random bytes come, no ESC goes out that begins something but drawing', () => {
    const alphabet = [
      '\x1b',
      '[',
      ']',
      'P',
      '_',
      '\\',
      '\x07',
      '\u009b',
      '\u009d',
      '?',
      '>',
      '$',
      ';',
      '1',
      'c',
      'n',
      't',
      'h',
      'm',
      'x',
      '\x18',
      ' ',
    ];
    let seed = 42;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    for (let round = 0; round < 3_000; round++) {
      const text = Array.from({ length: 40 }, () => alphabet[next(alphabet.length)]).join('');
      const shown = inPieces(text);
      expect(shown, JSON.stringify(text)).not.toMatch(
        /\x1b[\]P_^XZ]|\x1b\[[\d;?>$ ]*[cnt]|[\u0080-\u009f\x05]/,
      );
      // What is shown passes as it is: there is nothing left to leave out.
      expect(play(shown), JSON.stringify(text)).toBe(shown);
    }
  });
});

it('as text there are no sequences at all', () => {
  const filter = createTerminalFilter('text');
  expect(filter('\x1b[1mbold\x1b[m\x1b]0;t\x07\r\nnext\ttab\b\x1b(0q\x0e')).toBe('bold\nnext\ttabq');
});
