import type { Command } from '../command.ts';
import { accountData, accountTable } from './account-data.ts';

export const command: Command = {
  path: ['account', 'list'],
  summary: 'every account',
  examples: ['ssh GATEWAY account list'],
  positionals: [],
  options: {},
  permission: 'admin',
  outlasts: true,
  async run(_args, { accounts }) {
    const rows = await accounts.list();
    return { data: { accounts: rows.map(accountData) }, text: () => accountTable(rows) };
  },
};
