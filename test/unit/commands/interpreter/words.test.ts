import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readWords, splitWords } from '../../../../src/commands/interpreter/words.ts';

/** What /bin/sh makes of a line in which nothing can be expanded. */
const shellWords = (line: string) =>
  execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${line}`])
    .toString('utf8')
    .split('\0')
    .slice(0, -1);

function* generatedLines(count: number): Generator<string> {
  const pieces = [
    'a',
    'bc',
    ' ',
    '  ',
    '\t',
    "'x y'",
    '"x y"',
    "'\"'",
    '"\'"',
    '\\ ',
    '\\\\',
    "\\'",
    '\\"',
    '""',
    "''",
  ];
  pieces.push(
    '"a\\"b"',
    '"a\\\\b"',
    '"a\\$b"',
    '"a\\`b"',
    '"a\\nb"',
    '--flag=',
    "'é'",
    '=',
    '%',
    '@',
    '+',
    ':',
    '.',
  );
  let seed = 12345;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  for (let index = 0; index < count; index++) {
    yield Array.from({ length: 1 + random(9) }, () => pieces[random(pieces.length)]).join('');
  }
}

describe('splitWords', () => {
  it('reads quotes and backslashes as /bin/sh does', () => {
    for (const line of generatedLines(150)) {
      if (line.trim() !== '')
        expect({ line, words: splitWords(line) }).toEqual({ line, words: shellWords(line) });
    }
  });

  it('expands nothing: shell metacharacters are ordinary characters', () => {
    const words = ['$(id)', '`id`', '$HOME', 'a;b', '|', '&&', '>', '/tmp/x', '*', '~', '#c', '{a,b}', '!!'];
    expect(splitWords(words.join(' '))).toEqual(words);
  });

  it.each(["it's", '"open', "'", '"', 'x\\', '"a\\"', "a 'b c"])('refuses the unbalanced line %s', (line) => {
    expect(() => splitWords(line)).toThrow(/no counterpart/);
  });

  it('refuses NUL, and more than 64 KiB of UTF-8', () => {
    expect(() => splitWords('a\0b')).toThrow(/NUL/);
    expect(() => splitWords('é'.repeat(32 * 1024 + 1))).toThrow(/64 KiB/);
    expect(splitWords('x'.repeat(64 * 1024))).toHaveLength(1);
  });

  it('knows where each word stands', () => {
    const line = ` ssh  'we b' "x"y`;
    expect(readWords(line).map(({ start, end }) => line.slice(start, end))).toEqual([
      'ssh',
      "'we b'",
      '"x"y',
    ]);
  });

  it('an empty word is a word', () => {
    expect(splitWords(`a '' ""`)).toEqual(['a', '', '']);
  });
});
