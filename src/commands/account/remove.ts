import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';

export const command: Command = {
  path: ['account', 'remove'],
  summary: 'remove an account with its keys and grants; its name stays used',
  examples: ['ssh GATEWAY account remove alice'],
  positionals: [{ name: 'NAME', required: true, completes: 'account' }],
  options: {},
  permission: 'admin',
  outlasts: true,
  changes: true,
  async run({ positionals }, { accounts }) {
    const name = oneWord(positionals['NAME']) ?? '';
    const row = await accounts.remove(name);
    return accountAnswer(row, `Removed account "${row.name}".`);
  },
};
