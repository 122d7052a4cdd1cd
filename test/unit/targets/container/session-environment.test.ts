import { describe, expect, it } from 'vitest';
import { createEnvFilter } from '../../../../src/config/accept-env.ts';
import { sessionEnvironment } from '../../../../src/targets/container/session-environment.ts';
import { sttyWords } from '../../../../src/targets/container/terminal-modes.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';
import { context, terminal } from '../../../support/session-io.ts';

describe('acceptEnv', () => {
  it('knows * and ?, and takes every other character as it is', () => {
    const isAccepted = createEnvFilter(['LANG', 'LC_*', 'A?C', 'X.Y', '(a+)+']);
    expect(['LANG', 'LC_', 'LC_ALL', 'ABC'].filter(isAccepted)).toHaveLength(4);
    expect(['LANGUAGE', 'XLC_A', 'AC', 'XaY', 'aa', 'PATH', 'lang'].filter(isAccepted)).toEqual([]);
  });

  it('a pattern of * lets in names, and only names', () => {
    const isAccepted = createEnvFilter(['*']);
    expect(['A', '_x1'].filter(isAccepted)).toHaveLength(2);
    expect(
      ['', '1A', 'A=B', 'A B', 'A\n', 'A\nB', 'A\0', 'Ä', 'BASH_FUNC_x%%', 'a-b'].filter(isAccepted),
    ).toEqual([]);
  });

  it('a hostile name costs no time, whatever the pattern', () => {
    const started = cpuTimeMs();
    expect(createEnvFilter(['*A*A*A*A*B'])(`${'A'.repeat(400)}C`)).toBe(false);
    expect(cpuTimeMs() - started).toBeLessThan(1_000);
  });
});

describe('the environment', () => {
  const user = {
    engineUser: 'alice',
    uid: 1000,
    group: 1000,
    name: 'alice',
    home: '/home/alice',
    shell: '/bin/zsh',
  };
  const of = (requested: Record<string, string>, pty = false) =>
    sessionEnvironment({
      user,
      shell: '/bin/bash',
      pty: pty ? terminal() : undefined,
      context,
      requested: new Map(Object.entries(requested)),
      isAccepted: createEnvFilter(['*']),
    });

  it('says who and from where, then what the client sends', () => {
    expect(of({ LANG: 'C' }, true)).toEqual([
      'HOME=/home/alice',
      'USER=alice',
      'LOGNAME=alice',
      'SHELL=/bin/bash',
      'SSH_CONNECTION=192.0.2.7 50123 198.51.100.1 2222',
      'SSH_CLIENT=192.0.2.7 50123 2222',
      'TERM=xterm-256color',
      'LANG=C',
    ]);
  });

  it('the client replaces nothing of that, and breaks no line', () => {
    const hostile = {
      HOME: '/x',
      SSH_CLIENT: 'y',
      SSH_TTY: '/dev/pts/0',
      SSH_ORIGINAL_COMMAND: 'forged',
      A: 'a\nHOME=/x',
      B: 'a\0b',
      C: 'a\rb',
    };
    expect(of(hostile)).toEqual(of({}));
  });
});

describe('terminal modes', () => {
  it('become words for stty; unknown ones are left out', () => {
    expect(
      sttyWords(
        new Map([
          [53, 0],
          [36, 1],
          [1, 3],
          [3, 127],
          [5, 255],
          [99, 1],
          [128, 38400],
        ]),
      ),
    ).toEqual(['-echo', 'icrnl', 'intr', '^C', 'erase', '^?', 'eof', '^-']);
  });

  it('no value becomes an option or a pattern', () => {
    for (let value = 0; value < 300; value++) {
      for (const word of sttyWords(new Map([[1, value]])).slice(1)) expect(word).toMatch(/^\^[@-_?-]$/);
    }
  });
});
