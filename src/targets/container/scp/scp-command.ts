/** The command that `scp -O` and its kin run at the other end: `scp [-rpdvq] -t|-f [--] PATH…`. */

export interface ScpOptions {
  /** `-t`: files come from the client; `-f`: they go to it. */
  readonly direction: 'receive' | 'send';
  readonly isRecursive: boolean;
  /** Modes and times are kept. */
  readonly keepsAttributes: boolean;
  readonly intoFolder: boolean;
}

export interface ScpCommand extends ScpOptions {
  /** As a shell would read it: quoted, or with patterns in it. */
  readonly words: string;
}

/** With its words read; one character per byte (latin1). */
export interface ScpTransfer extends ScpOptions {
  readonly paths: readonly string[];
}

const commandLine = /^scp((?:[ \t]+-[rpdvqtf]+)+)(?:[ \t]+--)?(?:[ \t]+([\s\S]+))?$/;

/**
 * Words, quotes, patterns and variables; nothing that would run a program or end the command. Every
 * alternative begins with a character of its own, so there is nothing to go back for.
 */
const plainWords = /^(?:'[^']*'|"(?:[^"\\`$]|\\[\s\S]|\$(?!\())*"|\\[^\n]|\$(?![('"])|[^'"\\`$;&|<>()\n])+$/;

/** Undefined for whatever scp's clients do not send: a shell is to make of that what it can. */
export function parseScpCommand(command: string): ScpCommand | undefined {
  const [, options = '', words = ''] = commandLine.exec(command) ?? [];
  const flags = new Set(options.replace(/[ \t-]/g, ''));
  if (flags.has('t') === flags.has('f') || !plainWords.test(words)) return undefined;
  return {
    direction: flags.has('t') ? 'receive' : 'send',
    isRecursive: flags.has('r'),
    keepsAttributes: flags.has('p'),
    intoFolder: flags.has('d'),
    words,
  };
}
