/**
 * What a spare runs, and the language it is spoken to in. It leads the session of its terminal, waits for one order
 * (variables, then the argument list), and becomes by `exec` what the plain way would have started there. What is
 * ordered is read as data, by `read`; it is neither an argument of the spare nor text of its script.
 */
import { shellArgv } from '../launch.ts';

/** A spare that hears nothing for so long ends; less than a terminal's timer can count (25.5 s). */
export const deafAfterMs = 6_000;
/** An empty line so often keeps it waiting. */
export const heartbeatMs = 2_000;

export const stillHere = '\n';
export const goAhead = 'go\n';
export const leaveNow = 'leave\n';

/**
 * Raw, so that the terminal neither echoes nor translates nor cuts an order. The engine tells a terminal nothing of a
 * gateway that is gone: so `min 0 time N` ends a `read` that nothing comes to, or `-t N` does in busybox, which polls
 * before it reads, and in whatever else knows it. Whoever has been put into a group since
 * the spare was made would not be in it: then it ends. Each word comes with the number of its lines, and its length
 * in bytes and in characters, as shells count differently.
 */
const script = `postern_modes=$(stty -g) && stty raw -echo min 0 time "$2" || exit
postern_users=$(stat -L -c '%d %i %s %Y %Z' /etc/passwd /etc/group 2>/dev/null)
[ -n "$postern_users" ] || exit
postern_marker=$1
postern_wait=
(read -t 1 postern_line </dev/null) 2>/dev/null
[ "$?" != 1 ] || postern_wait="-t $3"
set --
echo "$postern_marker $$"
while IFS=' ' read $postern_wait -r postern_variables postern_words || exit; [ -z "$postern_variables" ]; do :; done
case $postern_words in '' | *[!0-9]*) exit ;; esac
[ "$postern_users" = "$(stat -L -c '%d %i %s %Y %Z' /etc/passwd /etc/group 2>/dev/null)" ] || exit
while [ "$#" -lt "$postern_words" ]; do
  IFS=' ' read $postern_wait -r postern_lines postern_bytes postern_characters || exit
  IFS= read $postern_wait -r postern_word || exit
  while [ "$postern_lines" -gt 1 ]; do
    IFS= read $postern_wait -r postern_line || exit
    postern_word="$postern_word
$postern_line"
    postern_lines=$((postern_lines - 1))
  done
  [ "\${#postern_word}" = "$postern_bytes" ] || [ "\${#postern_word}" = "$postern_characters" ] || exit
  if [ "$postern_variables" -gt 0 ]; then
    export "$postern_word" || exit
    postern_variables=$((postern_variables - 1))
  else
    set -- "$@" "$postern_word"
  fi
done
IFS= read $postern_wait -r postern_line || exit
[ "$postern_line" = "$postern_marker" ] && [ "$#" = "$postern_words" ] && [ "$postern_variables" = 0 ] || exit
echo "$postern_marker ok"
IFS= read $postern_wait -r postern_line || exit
[ "$postern_line" = go ] && stty "$postern_modes" || exit
unset postern_modes postern_users postern_marker postern_variables postern_words
unset postern_lines postern_bytes postern_characters postern_word postern_line postern_wait
unset PWD OLDPWD SHLVL
exec "$@"`;

/** The script's own, and what it takes away because every shell counts on from the one before it. */
const ownName = /^(postern_\w*|PWD|OLDPWD|SHLVL)=/;
/** What a shell gives a meaning of its own, or a loader, is left to the plain way. */
const carriedName =
  /^(HOME|USER|LOGNAME|SHELL|TERM|SSH_[A-Z_]+|LANG|LC_[A-Z]+|COLORTERM|TERM_[A-Z_]+|GIT_[A-Z_]+|TZ|EDITOR|VISUAL|PAGER)=/;
/** Shells read byte by byte: a longer one takes as long as the plain way. */
const maxOrderBytes = 8 * 1024;

/** `marker` is what it calls itself by. */
export function spareArgv(shell: string, marker: string): readonly string[] {
  return [
    ...shellArgv(shell),
    script,
    'postern',
    marker,
    String(deafAfterMs / 100),
    String(deafAfterMs / 1000),
  ];
}

/** Whether a container with that environment can have spares. */
export const mayHaveSpares = (env: readonly string[]): boolean => !env.some((each) => ownName.test(each));

/** Undefined where a spare could not do it exactly. `env`: `NAME=value`, on top of the container's own. */
export function encodeOrder(
  marker: string,
  env: readonly string[],
  argv: readonly string[],
): Buffer | undefined {
  const words = [...env, ...argv];
  if (words.some((word) => word.includes('\0')) || !env.every((each) => carriedName.test(each)))
    return undefined;
  const lines = [`${env.length} ${argv.length}`, ...words.map(encodeWord), marker, ''];
  const order = Buffer.from(lines.join('\n'));
  return order.length > maxOrderBytes ? undefined : order;
}

function encodeWord(word: string): string {
  // As it will be sent: half a surrogate pair is no character.
  const text = word.toWellFormed();
  return `${text.split('\n').length} ${Buffer.byteLength(text)} ${[...text].length}\n${text}`;
}
