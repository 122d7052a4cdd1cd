/**
 * How a program is started inside: a few lines of sh tell the gateway their pid, set the folder and
 * the terminal, and become the program by `exec`. The engine makes every exec the leader of a
 * session of its own, so that pid names everything the program leaves behind. All that is the
 * client's is an argument; nothing is spliced into script text.
 */
import { randomId } from '../../platform/ids.ts';
import { bytesOfText, hasOtherBytes } from '../../platform/text-of-bytes.ts';
import type { Pty } from '../../sessions/session.ts';
import { sttyWords } from './terminal-modes.ts';
import { tellWords, type WaitingLaunch, waitForWords } from './waiting-launch.ts';

// Positional parameters only: a variable could be exported by the container's environment already.
// `cd` leaves OLDPWD behind, which sshd does not.
const plainScript = `echo "$1 $$" >&2
cd -- "$2" 2>/dev/null || cd -- "$3" 2>/dev/null || cd /
unset OLDPWD
shift 3
exec "$@"`;

// As many lines as the other one: shells name the line in what they complain of.
const residentScript = plainScript.replace(/^.*\n/, 'ulimit -S -n "$1" 2>/dev/null\n');

// The size is set in here because a resize from outside comes after the program's first instructions.
// As many lines, too; its fourth parameter goes with the first three.
const waitingScript = `${waitForWords}${residentScript.replace('shift 3', 'shift 4')}`;

const terminalScript = `set -f
[ "$4" = 0 ] || stty rows "$4" cols "$5" 2>/dev/null || { LINES=$4 COLUMNS=$5; export LINES COLUMNS; }
[ -z "$6" ] || stty $6 2>/dev/null
set -- "$1" "$2" "$3" "$(tty 2>/dev/null)" "$@"
case $4 in /dev/*) SSH_TTY=$4; export SSH_TTY ;; esac
set +f
echo "$1 $$"
cd -- "$2" 2>/dev/null || cd -- "$3" 2>/dev/null || cd /
unset OLDPWD
shift 10
exec "$@"`;

/**
 * Neither the engine nor Node passes bytes that are no UTF-8: a shell makes them of `escapeWord`'s words. The dot saves line feeds
 * at a word's end.
 */
const unescapeWords = `for postern_word do shift; postern_word=$(printf '%b.' "$postern_word"); set -- "$@" "\${postern_word%.}"; done; unset postern_word; `;

const withBytes = (script: string) => script.replace(/(?=exec "\$@"$)/, () => unescapeWords);

/** For printf's `%b`. */
const escapeWord = (word: string) =>
  bytesOfText(word)
    .toString('latin1')
    .replaceAll(/[\\\x80-\xff]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);

export interface Launch {
  readonly argv: readonly string[];
  /** What the line that tells the pid begins with; undefined: nothing tells it. */
  readonly marker: string | undefined;
  /** What a resident starts instead, which knows the pid; `openFiles`: the limit of open files, as `ulimit -S -n` has it. */
  argvForResident(openFiles: string): readonly string[];
  /** What can wait in a resident to become the same; undefined: nothing. */
  findWaiting(openFiles: string): WaitingLaunch | undefined;
}

const maxDimension = 4_096;
const clamp = (value: number) => Math.min(Math.max(Math.trunc(value) || 0, 0), maxDimension);

/** Size as the kernel is told it; 0 by 0 where the client knows none. */
export function terminalSize(size: Pty['size']): { readonly columns: number; readonly rows: number } {
  const columns = clamp(size.columns);
  const rows = clamp(size.rows);
  return columns && rows ? { columns, rows } : { columns: 0, rows: 0 };
}

/** `shell` runs the lines above; undefined (an image without one): the program is started bare. */
export function launchOf(facts: {
  readonly shell: string | undefined;
  readonly program: readonly string[];
  readonly folders: readonly [string, string];
  readonly pty: Pty | undefined;
}): Launch {
  const { shell, program, folders, pty } = facts;
  if (shell === undefined) {
    return { argv: program, marker: undefined, argvForResident: () => program, findWaiting: () => undefined };
  }
  const marker = `postern-${randomId()}`;
  const launcher = (script: string, ...words: readonly string[]) => [
    ...shellArgv(shell),
    script,
    'postern',
    ...words,
  ];
  const isText = !program.some(hasOtherBytes);
  const run = (script: string, ...words: readonly string[]) =>
    isText
      ? [...launcher(script, ...words), ...program]
      : [...launcher(withBytes(script), ...words), ...program.map(escapeWord)];
  const inResident = {
    argvForResident: (openFiles: string) => run(residentScript, openFiles, ...folders),
    findWaiting: (openFiles: string) => {
      const told = tellWords(program);
      return told === undefined
        ? undefined
        : { argv: launcher(waitingScript, openFiles, ...folders, '\n'), told };
    },
  };
  if (!pty) return { argv: run(plainScript, marker, ...folders), marker, ...inResident };
  const { columns, rows } = terminalSize(pty.size);
  const terminal = [String(rows), String(columns), sttyWords(pty.modes).join(' ')];
  return { argv: run(terminalScript, marker, ...folders, ...terminal), marker, ...inResident };
}

/** A bash that is not called sh would run $BASH_ENV first, and take functions from the environment; `-p` stops both. */
export function shellArgv(shell: string): readonly string[] {
  return shell.endsWith('bash') ? [shell, '-p', '-c'] : [shell, '-c'];
}
