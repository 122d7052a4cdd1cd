import type { Command } from '../command.ts';
import { ownAccountId } from '../ssh-key/own-keys.ts';
import { codePositional, readCode } from './read-code.ts';

export const command: Command = {
  path: ['mfa', 'verify'],
  summary: 'prove your second factor for this connection, where its login was not asked for it',
  examples: ['mfa verify 123456'],
  positionals: [codePositional],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  changes: true,
  async run(args, context) {
    const { secondFactors, principal } = context;
    ownAccountId(principal);
    await secondFactors.verify(principal.identity, await readCode(args, context));
    return { data: { verified: true }, text: 'This connection has proven your second factor.' };
  },
};
