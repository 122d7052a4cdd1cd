import { createCodeCommand } from './create-code-command.ts';

export const command = createCodeCommand({
  verb: 'confirm',
  summary: 'turn your second factor on, with a code from the app; shows your recovery codes',
  examples: ['ssh GATEWAY mfa confirm 123456'],
  permission: 'unrestricted',
  outlasts: true,
  async answer(code, { secondFactors, principal }) {
    const codes = await secondFactors.confirm(principal.identity, code);
    const lines = [
      'Your second factor is on: from the next login on you are asked for a code.',
      'Each of these recovery codes is good once in place of one. Keep them; they are not shown again:',
      ...codes.map((each) => `  ${each}`),
    ];
    return { data: { mfa: 'on', recovery_codes: codes }, text: lines.join('\n') };
  },
});
