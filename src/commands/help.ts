import type { Command } from './command.ts';
import { findCommand } from './interpreter/find-command.ts';
import { helpData, helpOf, listOf } from './interpreter/help-text.ts';
import { isFor } from './interpreter/may-run.ts';
import { quoteWord } from './interpreter/words.ts';
import { allWords } from './text-parts.ts';

export const command: Command = {
  path: ['help'],
  summary: 'what there is; "help CMD" shows how one command is used, "help all" every one',
  examples: ['ssh GATEWAY help', 'ssh GATEWAY help ssh-key add', 'ssh GATEWAY help all'],
  positionals: [{ name: 'CMD', variadic: true, completes: 'command' }],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  async run({ positionals }, { commands, principal }) {
    const words = allWords(positionals['CMD']);
    const mine = commands.filter(({ permission }) => isFor(permission, principal));
    if (words.length === 0) return answer(mine, `${listOf(mine)}\n\n"help CMD" or "CMD --help" says more.`);
    if (words.length === 1 && words[0] === 'all') return answer(mine, mine.map(helpOf).join('\n\n\n'));
    const found = findCommand(words.map(quoteWord).join(' '), commands);
    if (!found || 'group' in found) return answer(found?.group ?? [], listOf(found?.group ?? []));
    return answer([found.command], helpOf(found.command));
  },
};

const answer = (shown: readonly Command[], text: string) => ({
  data: { commands: shown.map(helpData) },
  text,
});
