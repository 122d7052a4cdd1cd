import type { Command } from '../command.ts';
import { allWords, oneWord } from '../text-parts.ts';
import { keyData } from './key-data.ts';
import { ownAccountId } from './own-keys.ts';

export const command: Command = {
  path: ['ssh-key', 'rename'],
  summary: 'give one of your keys another name',
  description: 'Quote an OLD with spaces, through ssh twice; what follows is the new name.',
  examples: [
    'ssh GATEWAY ssh-key rename laptop "old laptop"',
    `ssh GATEWAY "ssh-key rename 'old laptop' laptop"`,
  ],
  positionals: [
    { name: 'OLD', required: true, completes: 'key' },
    { name: 'NEW', required: true, variadic: true },
  ],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, { keys, principal }) {
    const [from, to] = [oneWord(positionals['OLD']) ?? '', allWords(positionals['NEW']).join(' ')];
    const row = await keys.rename(ownAccountId(principal), from, to);
    return { data: keyData(row, principal), text: `"${from}" is now "${row.name}"` };
  },
};
