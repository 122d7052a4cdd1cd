/** What JSON.parse does not tell: members given twice, depth, and a member as it was written. */
import { MalformedToken } from './malformed-token.ts';

/** Objects and arrays one in another, the outermost counted. */
export const maxDepth = 32;

/**
 * The members of the object in `text`, each as written. `text` is one that JSON.parse took.
 * Throws MalformedToken for a member that is there twice, at any depth, for half a surrogate pair, and for more
 * than `maxDepth`.
 */
export function scanMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  scanObject(text, 0, 1, (name, value) => members.set(name, value));
  return members;
}

/** Each returns the offset after what it read. */
function scanValue(text: string, start: number, depth: number): number {
  const first = text[start];
  if (first === '{') return scanObject(text, start, depth);
  if (first === '[') return scanArray(text, start, depth);
  if (first === '"') return scanString(text, start).end;
  return matchAt(/[^\s,\]}]+/y, text, start);
}

function scanObject(
  text: string,
  start: number,
  depth: number,
  onMember: (name: string, value: string) => void = () => {},
): number {
  checkDepth(depth);
  const names = new Set<string>();
  let at = skipBlanks(text, start + 1);
  while (text[at] !== '}') {
    // Two spellings of one name ("a", "\u0061") are the same member.
    const { value: name, end: nameEnd } = scanString(text, at);
    if (names.has(name)) throw new MalformedToken('a member of its permissions is there twice');
    names.add(name);
    const valueStart = skipBlanks(text, skipBlanks(text, nameEnd) + 1);
    const valueEnd = scanValue(text, valueStart, depth + 1);
    onMember(name, text.slice(valueStart, valueEnd));
    at = skipSeparator(text, valueEnd);
  }
  return at + 1;
}

function scanArray(text: string, start: number, depth: number): number {
  checkDepth(depth);
  let at = skipBlanks(text, start + 1);
  while (text[at] !== ']') at = skipSeparator(text, scanValue(text, at, depth + 1));
  return at + 1;
}

function scanString(text: string, start: number): { readonly value: string; readonly end: number } {
  const end = matchAt(/"(?:[^"\\]|\\.)*"/y, text, start);
  const value = JSON.parse(text.slice(start, end)) as string;
  // RFC 7493 §2.1. Some parsers replace half a surrogate pair: two names would be one to them.
  if (!value.isWellFormed()) throw new MalformedToken('a string in its permissions is no Unicode text');
  return { value, end };
}

function checkDepth(depth: number): void {
  if (depth > maxDepth) throw new MalformedToken('its permissions are nested too deeply');
}

const skipBlanks = (text: string, start: number) => matchAt(/\s*/y, text, start);

function skipSeparator(text: string, start: number): number {
  const at = skipBlanks(text, start);
  return text[at] === ',' ? skipBlanks(text, at + 1) : at;
}

function matchAt(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  if (!pattern.test(text)) throw new MalformedToken('its permissions are not JSON');
  return pattern.lastIndex;
}
