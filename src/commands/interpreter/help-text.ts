/** Help for people, made from what a command says about itself. */
import type { Command, Option, Positional } from '../command.ts';
import { textTable } from './text-table.ts';

/** `ssh-key rename OLD NEW`. */
export function usageOf(command: Command): string {
  const flags = Object.entries(command.options).map(([name, option]) => `[${flagOf(name, option)}]`);
  const words = command.positionals.map(positionalOf);
  const rest = command.verbatimAfter === undefined ? [] : ['[--] [CMD…]'];
  return [...command.path, ...flags, ...words, ...rest].join(' ');
}

const flagOf = (name: string, { type, placeholder }: Option) =>
  `${name.length === 1 ? '-' : '--'}${name}${type === 'string' ? `=${placeholder ?? 'VALUE'}` : ''}`;

function positionalOf({ name, required, variadic }: Positional): string {
  const text = `${name}${variadic ? '…' : ''}`;
  return required ? text : `[${text}]`;
}

/** What `CMD --help` and `help CMD` print. */
export function helpOf(command: Command): string {
  const flags = Object.entries(command.options).map(([name, option]) => [
    `  ${flagOf(name, option)}`,
    option.describe,
  ]);
  flags.push(['  --json', 'answer in JSON'], ['  --help', 'show this']);
  const sections = [`Usage: ${usageOf(command)}`, command.summary];
  if (command.description !== undefined) sections.push(command.description);
  sections.push(textTable(undefined, flags));
  const { examples = [] } = command;
  if (examples.length > 0)
    sections.push(['Examples:', ...examples.map((example) => `  ${example}`)].join('\n'));
  return sections.join('\n\n');
}

/** Names and summaries, one line each. */
export function listOf(commands: readonly Command[]): string {
  return textTable(
    undefined,
    commands.map((command) => [`  ${command.path.join(' ')}`, command.summary]),
  );
}

export const helpData = (command: Command) => ({
  name: command.path.join(' '),
  summary: command.summary,
  usage: usageOf(command),
});
