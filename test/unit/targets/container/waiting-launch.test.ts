/** What waits in advance for its program, by the shells of this machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchOf } from '../../../../src/targets/container/launch.ts';
import { mayWait, tellWords } from '../../../../src/targets/container/waiting-launch.ts';

type Folders = readonly [string, string];

const launch = (shell: string, program: readonly string[], folders: Folders = ['/', '/']) =>
  launchOf({ shell, program, folders, pty: undefined });

function run(argv: readonly string[], input: string, env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] }) {
  const [program = '', ...words] = argv;
  const { stdout, stderr, status } = spawnSync(program, words, { encoding: 'utf8', input, env });
  return { stdout, stderr, status };
}

describe.each(['/bin/sh', '/bin/bash'])('a launcher that waits, run by %s', (shell) => {
  const both = (program: readonly string[], stdin = '', folders?: Folders) => {
    const launched = launch(shell, program, folders);
    const waiting = launched.findWaiting('256');
    if (!waiting) throw new Error('nothing can wait for that');
    return [run(waiting.argv, waiting.told + stdin), run(launched.argvForResident('256'), stdin)] as const;
  };

  it.each([
    [
      'arguments',
      ['printf', '%s\\0', '$(id)', '`id`', "'; id; '", '-n', '', '*', '\\', '\\n', '"', '$@', ' a\tb '],
    ],
    ['several lines', ['printf', '%s\\0', 'a\nb', '\n', '\n\n', 'end\n', '\n  begin']],
    ['variables, of which it leaves none', ['env']],
    ['limits', ['sh', '-c', 'ulimit -S -n']],
    ['a program that is not there', ['/absent/program', 'word']],
    ['a long command', ['sh', '-c', `echo ${'x'.repeat(3_000)}`]],
    ['parameters', ['sh', '-c', 'echo "$0:$#"']],
  ])('comes to the same: %s', (_what, program) => {
    const [waited, plain] = both(program);
    expect(waited).toEqual(plain);
  });

  it('leaves the program all of its stdin', () => {
    const [waited, plain] = both(['sh', '-c', 'read -r line; echo "$line"; cat'], '3\n1\nid\nno end');
    expect(waited).toEqual(plain);
    expect(waited.stdout).toBe('3\n1\nid\nno end');
  });

  it('enters the first folder that can be entered, whatever its name', () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "-p 'o $x-")));
    expect(both(['pwd'], '', ['/absent', folder])[0].stdout).toBe(`${folder}\n`);
  });

  it('starts nothing when what it is told ends early', () => {
    const { argv, told } = launch(shell, ['echo', 'a\nb']).findWaiting('256') ?? { argv: [], told: '' };
    for (let length = 0; length < told.length; length++) {
      expect(run(argv, told.slice(0, length)).stdout).toBe('');
    }
  });
});

describe('what can wait', () => {
  it('is told no word that shells read in different ways, nor a long one', () => {
    for (const word of ['a\0b', 'é', '\r', '\x1b', '\x81'])
      expect(tellWords(['sh', '-c', word])).toBe(undefined);
    expect(tellWords(['sh', '-c', 'x'.repeat(5_000)])).toBe(undefined);
  });

  it('is nothing where a variable is named like one of its own, or changes how shells read', () => {
    expect(mayWait(['PATH=/bin', 'HOME=/root'])).toBe(true);
    for (const each of [
      'postern_word=x',
      'SHELLOPTS=xtrace',
      'TMOUT=1',
      'IFS=1',
      'BASH_FUNC_read%%=() { :; }',
    ])
      expect(mayWait(['PATH=/bin', each])).toBe(false);
  });

  it('is nothing in an image without a shell', () => {
    const { findWaiting } = launchOf({
      shell: undefined,
      program: ['/bin/x'],
      folders: ['/', '/'],
      pty: undefined,
    });
    expect(findWaiting('')).toBe(undefined);
  });
});
