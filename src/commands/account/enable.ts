import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';

export const command: Command = {
  path: ['account', 'enable'],
  summary: 'let a disabled account log in again',
  examples: ['ssh GATEWAY account enable alice'],
  positionals: [{ name: 'NAME', required: true, completes: 'account' }],
  options: {},
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals }, { accounts }) {
    const name = oneWord(positionals['NAME']) ?? '';
    const row = await accounts.setDisabled(name, false);
    return accountAnswer(row, `Enabled account "${row.name}".`);
  },
};
