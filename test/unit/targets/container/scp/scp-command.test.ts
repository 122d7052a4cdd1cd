import { expect, it } from 'vitest';
import { parseScpCommand } from '../../../../../src/targets/container/scp/scp-command.ts';
import { cpuTimeMs } from '../../../../support/cpu-time.ts';

it.each([
  ['scp -t /tmp', 'receive', '', '/tmp'],
  ['scp -f a.txt', 'send', '', 'a.txt'],
  ['scp -v -r -p -d -t -- -odd', 'receive', 'rpd', '-odd'],
  ['scp -qrpt "a b"', 'receive', 'rp', '"a b"'],
  ["scp -v -f 'it'\\''s'", 'send', '', "'it'\\''s'"],
  ['scp -f ~/*.txt $HOME/"${USER}[ab]"?', 'send', '', '~/*.txt $HOME/"${USER}[ab]"?'],
  ["scp -t '$(quoted; is only text)'", 'receive', '', "'$(quoted; is only text)'"],
  ['scp -t /ü', 'receive', '', '/ü'],
])('%s is of scp', (command, direction, flags, words) => {
  expect(parseScpCommand(command)).toEqual({
    direction,
    isRecursive: flags.includes('r'),
    keepsAttributes: flags.includes('p'),
    intoFolder: flags.includes('d'),
    words,
  });
});

it.each([
  'scp',
  'scp -t',
  'scp a b',
  'scp -tf x',
  'scp -r x',
  'scp -S /bin/sh -t x',
  'scp -t -o ProxyCommand=x y;z',
  'scpx -t /tmp',
  '/usr/bin/scp -t /tmp',
  'scp -t /tmp; id',
  'scp -t /tmp && id',
  'scp -t /tmp | id',
  'scp -t /tmp > x',
  'scp -t /tmp\nid',
  'scp -t $(id)',
  'scp -t "$(id)"',
  'scp -t "${x:-$(id)}"',
  'scp -t `id`',
  'scp -t "`id`"',
  "scp -t 'open",
  'scp -t "open',
  'scp -t end\\',
])('%j is the shell’s', (command) => {
  expect(parseScpCommand(command)).toBeUndefined();
});

it('a command made to be parsed slowly is not', () => {
  const started = cpuTimeMs();
  for (const part of ['"', "'a", '\\', '$', ' -t', '"a"', "''"])
    parseScpCommand(`scp -t ${part.repeat(20_000)};`);
  expect(cpuTimeMs() - started).toBeLessThan(500);
});
