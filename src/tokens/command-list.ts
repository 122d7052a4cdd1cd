/** Commands as people name them for a token: `ls, ssh-key list, ssh web`. */

export function parseCommandList(text: string): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim().replace(/\s+/g, ' '));
  return entries.filter((entry) => entry !== '');
}

/** One that grants nothing. `known`: names of commands, subcommands with a blank; a target may follow `ssh`. */
export function findUnknownCommand(entries: readonly string[], known: readonly string[]): string | undefined {
  return entries.find((entry) => !known.includes(entry) && entry !== reserved && !/^ssh [^\s]+$/.test(entry));
}

/** Taken for the time when the command exists. */
const reserved = 'new';
