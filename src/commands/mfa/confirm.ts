import type { Command } from '../command.ts';
import { ownAccountId } from '../ssh-key/own-keys.ts';
import { codePositional, readCode } from './read-code.ts';

export const command: Command = {
  path: ['mfa', 'confirm'],
  summary: 'turn your second factor on, with a code from the app; shows your recovery codes',
  examples: ['ssh GATEWAY mfa confirm 123456'],
  positionals: [codePositional],
  options: {},
  permission: 'unrestricted',
  outlasts: true,
  secondFactor: 'spared',
  changes: true,
  async run(args, context) {
    const { secondFactors, principal } = context;
    ownAccountId(principal);
    const codes = await secondFactors.confirm(principal.identity, await readCode(args, context));
    const lines = [
      'Your second factor is on: from the next login on you are asked for a code.',
      'Each of these recovery codes is good once in place of one. Keep them; they are not shown again:',
      ...codes.map((code) => `  ${code}`),
    ];
    return { data: { mfa: 'on', recovery_codes: codes }, text: lines.join('\n') };
  },
};
