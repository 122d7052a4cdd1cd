import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';

export const command: Command = {
  path: ['account', 'mfa'],
  summary: 'whether an account must have a second factor',
  description:
    'An account that must and has none yet can do nothing but set one up ("mfa enroll"). One that may is asked\n' +
    'for it only once it has one.',
  examples: ['ssh GATEWAY account mfa alice required', 'ssh GATEWAY account mfa alice optional'],
  positionals: [
    { name: 'NAME', required: true, completes: 'account' },
    { name: 'required|optional', required: true },
  ],
  options: {},
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals }, { accounts, usage }) {
    const asked = oneWord(positionals['required|optional']);
    if (asked !== 'required' && asked !== 'optional') throw usage('say required or optional');
    const row = await accounts.setSecondFactorRequired(
      oneWord(positionals['NAME']) ?? '',
      asked === 'required',
    );
    return accountAnswer(row, `A second factor is ${asked} for "${row.name}" now.`);
  },
};
