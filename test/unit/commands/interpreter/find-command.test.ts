import { describe, expect, it } from 'vitest';
import type { Command } from '../../../../src/commands/command.ts';
import { findCommand } from '../../../../src/commands/interpreter/find-command.ts';
import { findNearest } from '../../../../src/commands/interpreter/nearest.ts';
import { parseArguments } from '../../../../src/commands/interpreter/parse-arguments.ts';

const stub = (path: string, facts: Partial<Command> = {}): Command => ({
  path: path.split(' '),
  summary: '',
  positionals: [],
  options: {},
  permission: 'anyone',
  run: async () => ({ data: {}, text: '' }),
  ...facts,
});

const text = (describe = '') => ({ type: 'string', describe }) as const;
const add = stub('ssh-key add', {
  options: { name: text(), yes: { type: 'boolean', describe: '' } },
  positionals: [{ name: 'PUBLIC-KEY', variadic: true }],
});
const rename = stub('ssh-key rename', {
  positionals: [
    { name: 'OLD', required: true },
    { name: 'NEW', required: true },
  ],
});
const ssh = stub('ssh', { positionals: [{ name: 'TARGET', required: true }], verbatimAfter: 1 });
const ls = stub('ls', { options: { l: { type: 'boolean', describe: '' } } });
const commands = [add, ls, rename, ssh];

function parsed(line: string) {
  const found = findCommand(line, commands);
  if (!found || 'group' in found) throw new Error('no command');
  return { command: found.command, ...parseArguments(found.command, found.words, found.rest) };
}

describe('findCommand and parseArguments', () => {
  it.each([
    'ssh-key add --name=laptop KEY',
    'ssh-key add KEY --name laptop',
    '--name laptop ssh-key add KEY',
    'ssh-key --name=laptop add KEY',
    "ssh-key 'add' --name='lap''top' -- KEY",
  ])('flags may stand anywhere: %s', (line) => {
    const { command, args } = parsed(line);
    expect(command).toBe(add);
    expect(args.options['name']).toBe('laptop');
    expect(args.positionals['PUBLIC-KEY']).toEqual(['KEY']);
  });

  it('-- ends flags', () => {
    expect(parsed('ssh-key rename -- --old -new').args.positionals).toEqual({ OLD: '--old', NEW: '-new' });
  });

  it('a boolean flag does not eat the word behind it', () => {
    expect(parsed('ssh-key add --yes true').args.positionals['PUBLIC-KEY']).toEqual(['true']);
    expect(parsed('ls -l --json').args.options['l']).toBe(true);
  });

  it('words that look like numbers or lists stay text', () => {
    expect(parsed('ssh-key rename 0x10 1e3').args.positionals).toEqual({ OLD: '0x10', NEW: '1e3' });
    expect(parsed('ssh-key add --name=007 a.b c,d').args.options['name']).toBe('007');
  });

  it('an empty word is a word', () => {
    expect(parsed("ssh-key rename '' x").args.positionals).toEqual({ OLD: '', NEW: 'x' });
  });

  it.each([
    ['ssh-key rename a', /NEW is missing; usage: ssh-key rename OLD NEW/],
    [
      'ssh-key rename a b c',
      /"c" is one word too many \(what has spaces wants quotes, and through ssh two pairs/,
    ],
    ['ls c', /"c" is one word too many; usage/],
    ['ls | grep web', /"\|" is one word too many, for this is no shell/],
    ['ls > file', /">" is one word too many, for this is no shell/],
    ['ls && ssh web', /"&&" is one word too many, for this is no shell/],
    ['ssh-key add --nam=x', /no flag --nam \(did you mean --name\?\)/],
    ['ssh-key add --name', /--name needs a value/],
    ['ssh-key add --name=', /--name needs a value/],
    ['ssh-key add --name --yes', /--name needs a value/],
    ['ssh-key add --yes=maybe', /--yes takes no value/],
    ['ssh-key add --no-yes', /no flag --no-yes/],
    ['ls -ll', /no flag -ll/],
    ['ls -5', /no flag -5/],
    ['ls --', undefined],
    ['ls --get-yargs-completions', /no flag/],
    ['ls --version', /no flag/],
    ['ls --help.x', /no flag/],
    ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'].map((name): [string, RegExp] => [
      `ls --${name}=1`,
      /no flag/,
    ]),
  ])('%s → %s', (line, problem) => {
    if (problem === undefined) expect(parsed(line).command).toBe(ls);
    else expect(() => parsed(line)).toThrow(problem);
  });

  it.each([
    ['sl', /did you mean "ls"/],
    ['ssh-kye add', /did you mean "ssh-key"/],
    ['ssh-key ad', /did you mean "ssh-key add"/],
    ['ssh-key frobnicate', /there is no command "ssh-key frobnicate"; "help"/],
    ['constructor', /there is no command "constructor"/],
    ['__proto__ x', /there is no command/],
    ['LS', /did you mean "ls"/],
  ])('unknown: %s → %s', (line, problem) => {
    expect(() => findCommand(line, commands)).toThrow(problem);
  });

  it('nothing is near to a word of 64 KiB', () => {
    expect(findNearest('l'.repeat(65_536), ['ls'])).toBeUndefined();
  });
});

describe('ssh TARGET passes the rest on as typed', () => {
  it.each([
    ['ssh web ls -l', 'ls -l'],
    ['ssh web git --help', 'git --help'],
    ['ssh web -- ls --json', 'ls --json'],
    ['ssh web --json', '--json'],
    [`ssh web echo it's "un balanced`, `echo it's "un balanced`],
    [String.raw`ssh web printf '%s\n' "a  b" \$HOME`, String.raw`printf '%s\n' "a  b" \$HOME`],
    ['ssh   web   a   b  ', 'a   b  '],
    ['ssh web a\nb', 'a\nb'],
    ['ssh -- web ls', 'ls'],
    ["ssh 'web' --- x", '--- x'],
    ['ssh web --', ''],
    ['ssh web', ''],
  ])('%j → %j', (line, rest) => {
    const { command, args } = parsed(line);
    expect(command).toBe(ssh);
    expect(args.positionals['TARGET']).toBe('web');
    expect(args.rest).toBe(rest);
  });

  it("flags before TARGET are the gateway's", () => {
    expect(parsed('ssh --json web ls').json).toBe(true);
    expect(parsed('ssh --help').help).toBe(true);
    expect(() => parsed('ssh -t web')).toThrow(/no flag -t/);
    expect(() => parsed('ssh')).toThrow(/TARGET is missing/);
  });
});
