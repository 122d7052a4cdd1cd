import type { Command } from '../command.ts';
import { ownAccountId } from '../ssh-key/own-keys.ts';
import { codePositional, readCode } from './read-code.ts';

export const command: Command = {
  path: ['mfa', 'disable'],
  summary: 'take your second factor away, with a code from the app or a recovery code',
  description: 'Without a code an admin can do it, with "mfa reset".',
  examples: ['ssh GATEWAY mfa disable 123456'],
  positionals: [codePositional],
  options: {},
  permission: 'unrestricted',
  outlasts: true,
  secondFactor: 'spared',
  changes: true,
  async run(args, context) {
    const { secondFactors, principal } = context;
    await secondFactors.disable(ownAccountId(principal), await readCode(args, context));
    return {
      data: { mfa: 'off' },
      text: 'Your second factor is off; the secret and the recovery codes are gone.',
    };
  },
};
