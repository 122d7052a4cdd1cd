/**
 * The lobby's line syntax: POSIX-like words (XCU §2.2 quoting) with nothing expanded. Blanks separate;
 * `;`, `|`, `&`, `>`, `$` and `#` are ordinary characters. No shell ever sees these lines.
 */
import { GatewayError } from '../../errors.ts';

export interface Word {
  /** With quotes and backslashes taken out. */
  readonly text: string;
  /** Where it stands in the line: `line.slice(start, end)` is the word as typed. */
  readonly start: number;
  readonly end: number;
}

export const maxLineBytes = 64 * 1024;

const isBlank = (character: string | undefined) =>
  character === ' ' || character === '\t' || character === '\n' || character === '\r';

/** Throws `usage` for lines that are too long or hold a NUL. */
export function checkLine(line: string): void {
  if (line.length > maxLineBytes || Buffer.byteLength(line) > maxLineBytes) {
    throw new GatewayError('usage', { problem: 'the command line is longer than 64 KiB.' });
  }
  if (line.includes('\0'))
    throw new GatewayError('usage', { problem: 'the command line holds a NUL character.' });
}

/** The words of a line. Throws `usage` for unbalanced quotes, a NUL, or more than 64 KiB. */
export function splitWords(line: string): string[] {
  return readWords(line).map(({ text }) => text);
}

/** The words from `position` on, with their places. Throws as splitWords does. */
export function readWords(line: string, position = 0): Word[] {
  checkLine(line);
  const words: Word[] = [];
  for (let word = readWord(line, position); word; word = readWord(line, word.end)) words.push(word);
  return words;
}

/** The next word at or after `position`, undefined at the end. What follows it is not looked at. */
export function readWord(line: string, position: number): Word | undefined {
  let start = position;
  while (isBlank(line[start])) start++;
  if (start >= line.length) return undefined;
  let text = '';
  let at = start;
  while (at < line.length && !isBlank(line[at])) {
    const [part, end] = readPart(line, at);
    text += part;
    at = end;
  }
  return { text, start, end: at };
}

type Part = readonly [text: string, end: number];

/** One quoted stretch, one escaped character or a run of plain characters. */
function readPart(line: string, at: number): Part {
  const character = line[at];
  if (character === "'") return readSingleQuoted(line, at + 1);
  if (character === '"') return readDoubleQuoted(line, at + 1);
  if (character === '\\') {
    if (at + 1 >= line.length) throw unbalanced('a backslash');
    // XCU §2.2.1: an escaped newline is no character at all.
    return [line[at + 1] === '\n' ? '' : (line[at + 1] as string), at + 2];
  }
  let end = at;
  while (end < line.length && !isBlank(line[end]) && !`'"\\`.includes(line[end] as string)) end++;
  return [line.slice(at, end), end];
}

function readSingleQuoted(line: string, from: number): Part {
  const end = line.indexOf("'", from);
  if (end === -1) throw unbalanced("a single quote (')");
  return [line.slice(from, end), end + 1];
}

function readDoubleQuoted(line: string, from: number): Part {
  let text = '';
  for (let at = from; at < line.length; at++) {
    const character = line[at] as string;
    if (character === '"') return [text, at + 1];
    const next = line[at + 1];
    if (character !== '\\' || next === undefined || !'"\\$`\n'.includes(next)) {
      text += character;
      continue;
    }
    if (next !== '\n') text += next;
    at++;
  }
  throw unbalanced('a double quote (")');
}

const unbalanced = (what: string) =>
  new GatewayError('usage', {
    problem: `${what} at the end of the line has no counterpart; close it or escape it.`,
  });

/** A word that is read as it is, whatever it holds. */
export const quoteWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
