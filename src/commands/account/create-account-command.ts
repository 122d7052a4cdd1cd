import type { Accounts } from '../../accounts/accounts.ts';
import type { AccountRow } from '../../store/schema.ts';
import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';

interface AccountCommand extends Pick<Command, 'summary' | 'secondFactor'> {
  readonly verb: string;
  /** `Disabled`: how the answer begins. */
  readonly done: string;
  readonly change: (accounts: Accounts, name: string) => Promise<AccountRow>;
}

/** `account VERB NAME`: an admin changes one account, and is shown it. */
export function createAccountCommand({ verb, done, change, ...facts }: AccountCommand): Command {
  return {
    ...facts,
    path: ['account', verb],
    examples: [`ssh GATEWAY account ${verb} alice`],
    positionals: [{ name: 'NAME', required: true, completes: 'account' }],
    options: {},
    permission: 'admin',
    outlasts: true,
    changes: true,
    async run({ positionals }, { accounts }) {
      const row = await change(accounts, oneWord(positionals['NAME']) ?? '');
      return accountAnswer(row, `${done} account "${row.name}".`);
    },
  };
}
