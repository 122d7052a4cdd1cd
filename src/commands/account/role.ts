import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';
import { parseRole } from './parse-role.ts';

export const command: Command = {
  path: ['account', 'role'],
  summary: 'make an account an admin or a member',
  examples: ['ssh GATEWAY account role alice admin'],
  positionals: [
    { name: 'NAME', required: true, completes: 'account' },
    { name: 'admin|member', required: true },
  ],
  options: {},
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals }, { accounts }) {
    const role = parseRole(oneWord(positionals['admin|member']) ?? '');
    const row = await accounts.setRole(oneWord(positionals['NAME']) ?? '', role);
    return accountAnswer(row, `"${row.name}" is ${row.role} now.`);
  },
};
