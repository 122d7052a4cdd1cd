import type { Command } from '../command.ts';
import { keyData } from './key-data.ts';
import { keyTable } from './key-table.ts';

export const command: Command = {
  path: ['ssh-key', 'list'],
  summary: 'your public keys',
  examples: ['ssh GATEWAY ssh-key list'],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, { keys, principal }) {
    const rows = await keys.list(principal.account.id);
    return {
      data: { ssh_keys: rows.map((row) => keyData(row, principal)) },
      text: () => keyTable(rows, principal),
    };
  },
};
