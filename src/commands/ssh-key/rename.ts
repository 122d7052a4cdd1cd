import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { keyData } from './key-data.ts';
import { ownAccountId } from './own-keys.ts';

export const command: Command = {
  path: ['ssh-key', 'rename'],
  summary: 'give one of your keys another name',
  examples: ['ssh GATEWAY ssh-key rename laptop "old laptop"'],
  positionals: [
    { name: 'OLD', required: true, completes: 'key' },
    { name: 'NEW', required: true },
  ],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, { keys, principal }) {
    const [from, to] = [oneWord(positionals['OLD']) ?? '', oneWord(positionals['NEW']) ?? ''];
    const row = await keys.rename(ownAccountId(principal), from, to);
    return { data: keyData(row, principal), text: `"${from}" is now "${row.name}"` };
  },
};
