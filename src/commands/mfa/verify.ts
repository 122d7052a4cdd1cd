import { createCodeCommand } from './create-code-command.ts';

export const command = createCodeCommand({
  verb: 'verify',
  summary: 'prove your second factor for this connection, where its login was not asked for it',
  examples: ['mfa verify 123456'],
  permission: 'anyone',
  async answer(code, { secondFactors, principal }) {
    await secondFactors.verify(principal.identity, code);
    return { data: { verified: true }, text: 'This connection has proven your second factor.' };
  },
});
