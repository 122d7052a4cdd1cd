import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['mfa', 'reset'],
  summary: 'take the second factor of an account away, when phone and recovery codes are lost',
  examples: ['ssh GATEWAY mfa reset alice', 'postern mfa reset admin'],
  positionals: [{ name: 'ACCOUNT', required: true, completes: 'account' }],
  options: {},
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals }, { accounts, secondFactors }) {
    const account = await accounts.getByName(oneWord(positionals['ACCOUNT']) ?? '');
    await secondFactors.reset(account);
    return {
      data: { account: account.name, mfa: 'off' },
      text: `"${account.name}" has no second factor any more.`,
    };
  },
};
