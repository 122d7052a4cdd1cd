import { describe, expect, it } from 'vitest';
import { createIsOurs, parseKeyFile, writeKeyFile } from '../../../src/container-sshd/key-block.ts';
import { cpuTimeMs } from '../../support/cpu-time.ts';
import { block } from '../../support/key-files.ts';

const replaced = (text: string, ...lines: readonly string[]) => {
  const file = parseKeyFile(text);
  return file && writeKeyFile(file, lines);
};

describe('the block of ours', () => {
  it.each([
    ['an empty file', '', '', ''],
    ['lines of others', 'a\nb\n', 'a\nb\n', ''],
    ['a last line without its end', 'a', 'a\n', ''],
    ['a block between others', `a\n${block('old')}b\n`, 'a\n', 'b\n'],
    ['two blocks', `a\n${block('x')}b\n${block('y')}c`, 'a\n', 'b\nc'],
    ['an empty block', `${block()}b\n`, '', 'b\n'],
    ['markers with blanks and CR behind them', `${block('x').replaceAll('\n', ' \r\n')}b\n`, '', 'b\n'],
    ['an end without a beginning', '# postern end\na\n', '# postern end\na\n', ''],
    ['markers inside other lines', 'ssh-rsa AAAA # postern end\n', 'ssh-rsa AAAA # postern end\n', ''],
  ])('%s', (_what, text, before, after) => {
    expect(replaced(text, 'one', 'two')).toBe(`${before}${block('one', 'two')}${after}`);
  });

  it('goes when there is nothing to put into it, and what was there stays byte for byte', () => {
    expect(replaced(`a\r\n\n${block('x')}\xe9\0b`)).toBe('a\r\n\n\xe9\0b');
    expect(replaced('a')).toBe('a');
  });

  it('is the same when it is written twice', () => {
    const once = replaced('a', 'k') ?? '';
    expect(replaced(once, 'k')).toBe(once);
  });

  it.each([
    '# postern begin: kept by the gateway, changed at every sync',
    `${block('x')}a\n${block('y')}`.slice(0, -5),
  ])('without its end it is nobody’s to say what is ours: %j', (text) => {
    expect(parseKeyFile(text)).toBeUndefined();
  });

  it('knows its keys, whatever stands around them, and none of the other lines', () => {
    const file = parseKeyFile(
      `ssh-rsa AAAAother x\n${block('restrict,command="a b" ssh-ed25519 AAAAmine/+= c')}`,
    );
    const isOurs = createIsOurs(file ?? { others: [], ours: [], position: 0 });
    expect(isOurs('ssh-ed25519 AAAAmine/+=')).toBe(true);
    expect(isOurs('ssh-rsa AAAAother')).toBe(false);
  });

  it('huge-authorized-keys: a MiB of markers takes no time', () => {
    const text = block('').repeat(10_000);
    const start = cpuTimeMs();
    expect(replaced(text, 'k')).toBe(block('k'));
    expect(cpuTimeMs() - start).toBeLessThan(1_000);
  });
});
