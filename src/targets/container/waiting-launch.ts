/**
 * A launcher that is started before its program is known: it waits for the words of that on its stdin, and goes on as the
 * other one does. They are data that `read` takes in, byte by byte as POSIX wants it, so the program's own stdin may follow.
 */

export interface WaitingLaunch {
  readonly argv: readonly string[];
  /** What it waits for. */
  readonly told: string;
}

/**
 * Before the first line of another script, whose parameters stay in front: shells name the line in what they complain of. `$4` is
 * a line feed, for words of several lines.
 */
export const waitForWords = [
  'IFS= read -r postern_words || exit',
  'while [ "$postern_words" -gt 0 ]',
  'do IFS= read -r postern_lines && IFS= read -r postern_word || exit',
  'while [ "$postern_lines" -gt 1 ]',
  'do IFS= read -r postern_line || exit',
  'postern_word=$postern_word$4$postern_line postern_lines=$((postern_lines - 1))',
  'done',
  'set -- "$@" "$postern_word"',
  'postern_words=$((postern_words - 1))',
  'done',
  'unset postern_words postern_lines postern_word postern_line',
  '',
]
  .join('; ')
  .replaceAll(/\b(do|then);/g, '$1');

/** The script's own, and what shells take to heart while they read; a function may stand for `read` itself. */
const unfitName = /^(postern_\w*|BASH_FUNC_[^=]*|SHELLOPTS|BASHOPTS|PS4|TMOUT|IFS)=/;
/** Shells differ in what else they read. */
const fitWord = /^[\t\n\x20-\x7e]*$/;
/** A longer one takes as long to read as it takes to start. */
const maxToldBytes = 4 * 1024;

/** Whether it would be the same in that environment. */
export const mayWait = (env: readonly string[]): boolean => !env.some((each) => unfitName.test(each));

/** Undefined where it could not become that exactly. */
export function tellWords(words: readonly string[]): string | undefined {
  if (!words.every((word) => fitWord.test(word))) return undefined;
  const told = `${[words.length, ...words.map((word) => `${word.split('\n').length}\n${word}`)].join('\n')}\n`;
  return told.length > maxToldBytes ? undefined : told;
}
