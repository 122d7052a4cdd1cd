import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textOfBytes } from '../../../../src/platform/text-of-bytes.ts';
import { launchOf, shellArgv, terminalSize } from '../../../../src/targets/container/launch.ts';
import { createLaunchGate } from '../../../../src/targets/container/launch-gate.ts';

const start = (program: readonly string[], folders: readonly [string, string] = ['/', '/']) => {
  const { argv, marker } = launchOf({ shell: '/bin/sh', program, folders, pty: undefined });
  const { stdout, stderr, status } = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8' });
  return { stdout, stderr, status, marker: marker! };
};

describe('the launcher', () => {
  it('tells its pid on stderr, then becomes the program', () => {
    const { stdout, stderr, marker } = start(['sh', '-c', 'echo $$']);
    expect(stderr).toBe(`${marker} ${stdout}`);
  });

  it('passes every argument on as it is', () => {
    const hostile = ['$(id)', '`id`', "'; id; '", '-n', '', 'a\nb', '*', '\\', '"', '$@', 'é'];
    expect(start(['printf', '%s\\0', ...hostile]).stdout).toBe(hostile.map((each) => `${each}\0`).join(''));
  });

  it('passes bytes that are no UTF-8 on as they are, by every shell and however it is started', () => {
    const every = Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1));
    const others = ['-e\xe9', '\\c\\0101%s\xe9', '\xff\n\n', 'é', '', "$(id)';`id`"];
    const words = [every, ...others.map((each) => Buffer.from(each, 'latin1'))];
    const wanted = Buffer.concat(words.flatMap((word) => [word, Buffer.from([0])]));
    const program = ['printf', '%s\\0', ...words.map(textOfBytes)];
    const pty = { term: 'xterm', size: { columns: 0, rows: 0, widthPx: 0, heightPx: 0 }, modes: new Map() };
    for (const [shell, ...prefix] of [['/bin/dash'], ['/bin/bash'], ['/bin/sh', 'busybox', 'sh']] as const) {
      const launch = launchOf({ shell, program, folders: ['/', '/'], pty: undefined });
      const atTerminal = launchOf({ shell, program, folders: ['/', '/'], pty }).argv;
      expect(launch.findWaiting('100')).toBeUndefined();
      for (const argv of [launch.argv, launch.argvForResident('100'), atTerminal]) {
        const [file, ...args] = prefix.length > 0 ? [...prefix, ...argv.slice(1)] : argv;
        const { stdout } = spawnSync(file!, args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
        expect(argv === atTerminal ? stdout.subarray(stdout.indexOf('\n') + 1) : stdout).toEqual(wanted);
      }
    }
  });

  it('enters the first folder that can be entered, whatever its name', () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "-p 'o $x-")));
    expect(start(['pwd'], [folder, '/']).stdout).toBe(`${folder}\n`);
    expect(start(['pwd'], ['/absent', folder]).stdout).toBe(`${folder}\n`);
    expect(start(['pwd'], ['/absent', '/absent too']).stdout).toBe('/\n');
  });

  it('leaves no variable behind', () => {
    const { argv } = launchOf({ shell: '/bin/sh', program: ['env'], folders: ['/tmp', '/'], pty: undefined });
    const text = execFileSync(argv[0]!, argv.slice(1), {
      env: {},
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(text.split('\n').filter((line) => !/^(PWD=|SHLVL=|_=|$)/.test(line))).toEqual([]);
  });

  it('a bash that runs it reads no BASH_ENV and takes no functions', () => {
    expect(shellArgv('/bin/bash')).toEqual(['/bin/bash', '-p', '-c']);
    expect(shellArgv('/bin/sh')).toEqual(['/bin/sh', '-c']);
  });

  it('clamps a size, and takes half a size for none', () => {
    const size = (columns: number, rows: number) => terminalSize({ columns, rows, widthPx: 0, heightPx: 0 });
    expect(size(2 ** 32 - 1, 24)).toEqual({ columns: 4096, rows: 24 });
    for (const none of [size(0, 24), size(80, 0), size(-5, 7), size(Number.NaN, 7)]) {
      expect(none).toEqual({ columns: 0, rows: 0 });
    }
  });
});

describe('the gate before the program', () => {
  const feed = (marker: string | undefined, pieces: readonly (readonly ['stdout' | 'stderr', string])[]) => {
    const seen = { stdout: '', stderr: '' };
    const opened: (number | undefined)[] = [];
    const gate = createLaunchGate({
      marker,
      lineStream: 'stderr',
      onOutput: (stream, data) => {
        seen[stream] += data;
      },
      onOpen: (pid) => opened.push(pid),
    });
    for (const [stream, text] of pieces) gate.feed(stream, Buffer.from(text));
    return { seen, opened, held: gate.takeHeld().map(([stream, data]) => `${stream}:${data}`) };
  };

  it('takes the line out, in whatever pieces it comes and whatever stands around it', () => {
    const pieces = [...'warning: loader\npostern-m 42\nerr'].map((each) => ['stderr', each] as const);
    expect(feed('postern-m', pieces)).toEqual({
      seen: { stdout: '', stderr: 'warning: loader\nerr' },
      opened: [42],
      held: [],
    });
  });

  it('holds stdout that overtakes the line, and lets it go after', () => {
    expect(
      feed('m', [
        ['stdout', 'early'],
        ['stderr', 'm 42\n'],
        ['stdout', ' late'],
      ]).seen.stdout,
    ).toBe('early late');
  });

  it('holds no more than its bound: a line that does not come stops nothing', () => {
    const { seen } = feed('m', [
      ['stdout', 'x'.repeat(1_100_000)],
      ['stderr', 'y'.repeat(70_000)],
      ['stdout', 'z'],
    ]);
    expect([seen.stdout.length, seen.stderr.length]).toEqual([1_100_001, 70_000]);
  });

  it.each(['1', '0', '-1', '99999999', '12x', '', '1 2', '$(id)'])('a pid of %j is none', (pid) => {
    expect(feed('m', [['stderr', `m ${pid}\n`]]).opened).toEqual([undefined]);
  });

  it("keeps back the engine's own text where nothing was started", () => {
    const text = 'OCI runtime exec failed: exec failed: no such file';
    expect(
      feed(undefined, [
        ['stdout', text.slice(0, 9)],
        ['stdout', text.slice(9)],
      ]),
    ).toMatchObject({
      seen: { stdout: '' },
      held: [`stdout:${text.slice(0, 9)}`, `stdout:${text.slice(9)}`],
    });
    expect(feed(undefined, [['stdout', 'OCI']]).held).toEqual(['stdout:OCI']);
    expect(
      feed(undefined, [
        ['stdout', 'OCI'],
        ['stdout', ' is a word'],
      ]).seen.stdout,
    ).toBe('OCI is a word');
  });
});
