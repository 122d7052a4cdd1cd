import type { Command } from './command.ts';
import { keyData } from './ssh-key/key-data.ts';
import { keyTable } from './ssh-key/key-table.ts';

export const command: Command = {
  path: ['whoami'],
  summary: 'your account, its role and keys, and which key this connection uses',
  examples: ['ssh GATEWAY whoami', 'ssh GATEWAY whoami --json'],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, { keys, principal }) {
    const { account } = principal;
    const rows = await keys.list(account.id);
    const named =
      account.email === undefined ? `Account: ${account.name}` : `Email Address: ${account.email}`;
    const lines = [
      named,
      ...(account.email === undefined ? [] : [`Account: ${account.name}`]),
      `Role: ${account.role}`,
    ];
    return {
      data: {
        account: account.name,
        email: account.email ?? null,
        role: account.role,
        ssh_keys: rows.map((row) => {
          const { public_key, fingerprint, name, current } = keyData(row, principal);
          return { public_key, fingerprint, name, current };
        }),
      },
      text: [...lines, 'SSH Keys:', keyTable(rows, principal)].join('\n'),
    };
  },
};
