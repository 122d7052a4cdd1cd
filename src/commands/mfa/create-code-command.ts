import type { Arguments, Command, CommandContext, CommandResult } from '../command.ts';
import { ownAccountId } from '../ssh-key/own-keys.ts';
import { allWords } from '../text-parts.ts';

interface CodeCommand
  extends Pick<Command, 'summary' | 'description' | 'examples' | 'permission' | 'outlasts'> {
  readonly verb: string;
  readonly answer: (code: string, context: CommandContext) => Promise<CommandResult>;
}

/** `mfa VERB CODE`: somebody shows a code of their own second factor. Throws usage without one, and for the operator. */
export function createCodeCommand({ verb, answer, ...facts }: CodeCommand): Command {
  return {
    ...facts,
    path: ['mfa', verb],
    positionals: [{ name: 'CODE', variadic: true }],
    options: {},
    secondFactor: 'spared',
    changes: true,
    async run(args, context) {
      ownAccountId(context.principal);
      return answer(await readCode(args, context), context);
    },
  };
}

const maxBytes = 1024;

/** A code as words of the line (apps show `123 456`), or on stdin. */
async function readCode({ positionals }: Arguments, { readStdin, usage }: CommandContext): Promise<string> {
  const words = allWords(positionals['CODE']);
  const code = words.length > 0 ? words.join('') : (await readStdin(maxBytes)).trim();
  if (code === '') throw usage('give the code as an argument, or on stdin');
  return code;
}
