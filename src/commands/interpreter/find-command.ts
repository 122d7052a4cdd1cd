/** From a line to the command it names, and what is left for the command. */
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Command } from '../command.ts';
import { findNearest } from './nearest.ts';
import { checkLine, readWord, readWords, type Word } from './words.ts';

export interface FoundCommand {
  readonly command: Command;
  /** The line's words without the command's own. */
  readonly words: readonly string[];
  /** What follows the words of a command with `verbatimAfter`, as typed. */
  readonly rest?: string;
}

/** `ssh-key` alone, or with `--help`. Flags alone stand for all commands, and have no `parent`. */
export interface FoundGroup {
  readonly parent: string | undefined;
  readonly group: readonly Command[];
  readonly words: readonly string[];
}

/** Undefined for an empty line. Throws `usage` and, with what `hint` adds, `unknown-command`. */
export function findCommand(
  line: string,
  commands: readonly Command[],
  hint: (firstWord: string) => string | undefined = () => undefined,
): FoundCommand | FoundGroup | undefined {
  checkLine(line);
  let candidates = commands;
  let depth = 0;
  let position = 0;
  const flags: string[] = [];
  for (;;) {
    const word = readWord(line, position);
    if (!word || word.text === '--') break;
    if (isFlag(word.text)) {
      position = word.end;
      flags.push(word.text);
      const value = takesValue(word.text, candidates) ? readWord(line, word.end) : undefined;
      if (value) flags.push(value.text);
      position = value?.end ?? position;
      continue;
    }
    const deeper = candidates.filter(({ path }) => path[depth] === word.text);
    if (deeper.length === 0) break;
    candidates = deeper;
    depth++;
    position = word.end;
  }
  const command = depth > 0 ? candidates.find(({ path }) => path.length === depth) : undefined;
  if (command) return { command, ...argumentsAfter(line, position, flags, command) };
  const left = { line, position, flags, depth, candidates: depth > 0 ? candidates : commands };
  const group = findGroup(left);
  if (group !== 'unknown') return group;
  throw unknownCommand(left, hint);
}

export const isFlag = (text: string) => text.length > 1 && text.startsWith('-');

/** Whether any of the commands that may still be meant takes the flag's value from the next word. */
function takesValue(text: string, candidates: readonly Command[]): boolean {
  const name = text.replace(/^--?/, '');
  return candidates.some(({ options }) => Object.hasOwn(options, name) && options[name]?.type === 'string');
}

function argumentsAfter(line: string, position: number, flags: readonly string[], command: Command) {
  const { verbatimAfter } = command;
  if (verbatimAfter === undefined) {
    return { words: [...flags, ...readWords(line, position).map(({ text }) => text)] };
  }
  const words = [...flags];
  let positionals = 0;
  let flagsEnded = false;
  let end = position;
  while (positionals < verbatimAfter) {
    const word: Word | undefined = readWord(line, end);
    if (!word) break;
    words.push(word.text);
    end = word.end;
    if (word.text === '--' && !flagsEnded) flagsEnded = true;
    else if (flagsEnded || !isFlag(word.text)) positionals++;
  }
  const rest = line
    .slice(end)
    .replace(/^[ \t\r\n]+/, '')
    .replace(/^--(?:[ \t\r\n]+|$)/, '');
  return { words, rest };
}

interface Unfinished {
  readonly line: string;
  readonly position: number;
  readonly flags: readonly string[];
  /** How many words of a command were recognized, and which commands begin so. */
  readonly depth: number;
  readonly candidates: readonly Command[];
}

function findGroup({
  line,
  position,
  flags,
  depth,
  candidates,
}: Unfinished): FoundGroup | undefined | 'unknown' {
  const parent = depth > 0 ? candidates[0]?.path[0] : undefined;
  if (!readWord(line, position))
    return depth > 0 || flags.length > 0 ? { parent, group: candidates, words: flags } : undefined;
  const asksHelp = depth > 0 && readWords(line, position).some(({ text }) => text === '--help');
  return asksHelp ? { parent, group: candidates, words: [...flags, '--help'] } : 'unknown';
}

function unknownCommand(
  { line, position, depth, candidates }: Unfinished,
  hint: (word: string) => string | undefined,
) {
  const word = readWord(line, position)?.text ?? '';
  const parents = candidates[0]?.path.slice(0, depth) ?? [];
  const nearest = findNearest(word, new Set(candidates.map(({ path }) => path[depth] as string)));
  return new GatewayError('unknown-command', {
    command: excerpt([...parents, word].join(' ')),
    nearest: nearest === undefined ? undefined : [...parents, nearest].join(' '),
    hint: depth === 0 ? hint(word) : undefined,
  });
}
