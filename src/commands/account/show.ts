import type { Command } from '../command.ts';
import { keyData } from '../ssh-key/key-data.ts';
import { keyTable } from '../ssh-key/key-table.ts';
import { oneWord } from '../text-parts.ts';
import { accountData, accountTable } from './account-data.ts';

export const command: Command = {
  path: ['account', 'show'],
  summary: 'one account with its keys',
  examples: ['ssh GATEWAY account show alice'],
  positionals: [{ name: 'NAME', required: true, completes: 'account' }],
  options: {},
  permission: 'admin',
  outlasts: true,
  async run({ positionals }, { accounts, keys, principal }) {
    const row = await accounts.getByName(oneWord(positionals['NAME']) ?? '');
    const rows = await keys.list(row.id);
    return {
      data: { ...accountData(row), ssh_keys: rows.map((key) => keyData(key, principal)) },
      text: `${accountTable([row])}\n\n${keyTable(rows, principal)}`,
    };
  },
};
