/** From words to a command's checked arguments: yargs reads, the rules of the lobby's line stand around it. */
import yargs from 'yargs';
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Arguments, Command, Option } from '../command.ts';
import { isFlag } from './find-command.ts';
import { usageOf } from './help-text.ts';
import { findNearest } from './nearest.ts';

export interface ParsedArguments {
  readonly args: Arguments;
  readonly json: boolean;
  readonly help: boolean;
}

/** What every command takes. */
export const commonOptions: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', describe: 'answer in JSON' },
  help: { type: 'boolean', describe: 'show how this command is used' },
};

/** Throws `usage`: unknown flag (the nearest is named), missing or bad value, too few or too many words. */
export function parseArguments(command: Command, words: readonly string[], rest?: string): ParsedArguments {
  const options = { ...commonOptions, ...command.options };
  const parsed = readWithYargs(checkFlags(command, options, words), options);
  const json = parsed.flags['json'] === true;
  const help = parsed.flags['help'] === true;
  const positionals = help ? {} : assignPositionals(command, parsed.words);
  return {
    args: { options: parsed.flags, positionals, ...(rest === undefined ? {} : { rest }) },
    json,
    help,
  };
}

export function usageError(command: Command, problem: string): GatewayError {
  return new GatewayError('usage', { problem: `${problem}; usage: ${usageOf(command)}` });
}

/**
 * Every flag must be one the command has, before yargs sees it: yargs stumbles over names of
 * Object.prototype, answers --get-yargs-completions, and takes the word after a boolean flag for its value
 * when it reads `true`.
 */
function checkFlags(command: Command, options: Readonly<Record<string, Option>>, words: readonly string[]) {
  const checked: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (word === '--') return [...checked, ...words.slice(index)];
    if (!isFlag(word)) {
      checked.push(word);
      continue;
    }
    const [, name = '', value] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (!Object.hasOwn(options, name)) throw unknownFlag(command, options, word, name);
    const isString = options[name]?.type === 'string';
    const given = value ?? (isString ? words[++index] : 'true');
    checked.push(`--${name}=${checkValue(command, name, isString, given, value === undefined)}`);
  }
  return checked;
}

function checkValue(
  command: Command,
  name: string,
  isString: boolean,
  given: string | undefined,
  apart: boolean,
) {
  const missing = given === undefined || given === '' || (isString && apart && isFlag(given));
  if (missing) throw usageError(command, `--${name} needs a value`);
  if (!isString && given !== 'true' && given !== 'false')
    throw usageError(command, `--${name} takes no value`);
  return given;
}

function unknownFlag(
  command: Command,
  options: Readonly<Record<string, Option>>,
  word: string,
  name: string,
) {
  const nearest = findNearest(name, Object.keys(options));
  const hint = nearest === undefined ? '' : ` (did you mean --${nearest}?)`;
  return usageError(command, `there is no flag ${excerpt(word.split('=')[0] as string)}${hint}`);
}

const configuration = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'short-option-groups': false,
};

function readWithYargs(
  words: readonly string[],
  options: Readonly<Record<string, Option>>,
): { flags: Arguments['options']; words: readonly string[] } {
  // Making a parser costs more than most commands do, and without a flag it has nothing to say.
  if (!words.some(isFlag)) return { flags: {}, words };
  let problem: string | undefined;
  // A fresh instance for each line, and an array: a shared one mixes up lines, a string is lexed again.
  const parser = yargs()
    .exitProcess(false)
    .detectLocale(false)
    .help(false)
    .version(false)
    .strictOptions()
    .parserConfiguration(configuration)
    .fail((message, error) => {
      problem ??= message ?? error.message;
    });
  for (const [name, { type }] of Object.entries(options)) parser.option(name, { type });
  const parsed = parser.parseSync([...words]) as Record<string, unknown>;
  if (problem !== undefined) throw new GatewayError('usage', { problem: excerpt(problem, 200) });
  const flags = Object.fromEntries(Object.keys(options).map((name) => [name, asValue(parsed[name])]));
  return { flags, words: [...asWords(parsed['_']), ...asWords(parsed['--'])] };
}

const asValue = (value: unknown) =>
  typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
const asWords = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

function assignPositionals(
  command: Command,
  words: readonly string[],
): Record<string, string | readonly string[]> {
  const assigned: Record<string, string | readonly string[]> = {};
  let used = 0;
  for (const { name, required, variadic } of command.positionals) {
    const taken = variadic ? words.slice(used) : words.slice(used, used + 1);
    if (taken.length === 0 && required) throw usageError(command, `${name} is missing`);
    if (variadic) assigned[name] = taken;
    else if (taken[0] !== undefined) assigned[name] = taken[0];
    used += taken.length;
  }
  if (used < words.length) {
    const word = words[used] as string;
    throw usageError(command, `"${excerpt(word)}" is one word too many${whyTooMany(command, word)}`);
  }
  return assigned;
}

/** What somebody at a shell would mean by it. */
function whyTooMany({ positionals, options }: Command, word: string): string {
  if (/^(\d?[<>]|[|&;]+$)/.test(word))
    return ', for this is no shell: there are no pipes, redirections or lists';
  const takesText = positionals.length > 0 || Object.values(options).some(({ type }) => type === 'string');
  return takesText ? ' (what has spaces wants quotes, and through ssh two pairs of them)' : '';
}
