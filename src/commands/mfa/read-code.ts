import type { Arguments, CommandContext } from '../command.ts';
import { allWords } from '../text-parts.ts';

const maxBytes = 1024;

/** A code as words of the line (apps show `123 456`), or on stdin. Throws usage. */
export async function readCode(
  { positionals }: Arguments,
  { readStdin, usage }: CommandContext,
): Promise<string> {
  const words = allWords(positionals['CODE']);
  const code = words.length > 0 ? words.join('') : (await readStdin(maxBytes)).trim();
  if (code === '') throw usage('give the code as an argument, or on stdin');
  return code;
}

export const codePositional = { name: 'CODE', variadic: true } as const;
