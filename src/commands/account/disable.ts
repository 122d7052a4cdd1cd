import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';

export const command: Command = {
  path: ['account', 'disable'],
  summary: 'keep an account from logging in, and close its connections',
  examples: ['ssh GATEWAY account disable alice'],
  positionals: [{ name: 'NAME', required: true, completes: 'account' }],
  options: {},
  permission: 'admin',
  outlasts: true,
  changes: true,
  async run({ positionals }, { accounts }) {
    const name = oneWord(positionals['NAME']) ?? '';
    const row = await accounts.setDisabled(name, true);
    return accountAnswer(row, `Disabled account "${row.name}".`);
  },
};
