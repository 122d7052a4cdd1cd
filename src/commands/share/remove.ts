import { removeGrant } from '../../auth/grants.ts';
import { GatewayError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { getManagedTarget } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';
import { grantsAnswer } from './grants-answer.ts';

export const command: Command = {
  path: ['share', 'remove'],
  summary: "end an account's access to a target, and its sessions there",
  examples: ['ssh GATEWAY share remove web alice'],
  positionals: [
    { name: 'TARGET', required: true, completes: 'target' },
    { name: 'ACCOUNT', required: true, completes: 'account' },
  ],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const { accounts, store } = context;
    const target = await getManagedTarget(oneWord(positionals['TARGET']) ?? '', 'share remove', context);
    const account = await accounts.getByName(oneWord(positionals['ACCOUNT']) ?? '');
    const removed = await removeGrant(store, target.key, account.id);
    if (!removed) throw new GatewayError('grant-not-found', { target: target.name, account: account.name });
    return grantsAnswer(target, context);
  },
};
