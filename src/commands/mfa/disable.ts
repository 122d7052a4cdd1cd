import { createCodeCommand } from './create-code-command.ts';

export const command = createCodeCommand({
  verb: 'disable',
  summary: 'take your second factor away, with a code from the app or a recovery code',
  description: 'Without a code an admin can do it, with "mfa reset".',
  examples: ['ssh GATEWAY mfa disable 123456'],
  permission: 'unrestricted',
  outlasts: true,
  async answer(code, { secondFactors, principal }) {
    await secondFactors.disable(principal.account.id, code);
    return {
      data: { mfa: 'off' },
      text: 'Your second factor is off; the secret and the recovery codes are gone.',
    };
  },
});
