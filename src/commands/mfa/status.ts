import type { Command } from '../command.ts';
import { counted } from '../text-parts.ts';

export const command: Command = {
  path: ['mfa', 'status'],
  summary: 'whether you have a second factor, must have one, and how many recovery codes are left',
  examples: ['ssh GATEWAY mfa status'],
  positionals: [],
  options: {},
  permission: 'anyone',
  secondFactor: 'spared',
  async run(_args, { secondFactors, principal }) {
    const { enrolled, required, proof } = principal.secondFactor;
    const row = enrolled ? await secondFactors.find(principal.account.id) : undefined;
    const left = row?.recoveryCodes.length ?? 0;
    const lines = [
      `MFA: ${enrolled ? 'on' : 'off'}${required ? ' (required)' : ''}`,
      ...(enrolled
        ? [`Recovery codes: ${counted(left, 'code')} left`, `This connection: ${proof ?? 'not proven'}`]
        : []),
    ];
    return {
      data: { mfa: enrolled ? 'on' : 'off', required, recovery_codes_left: left, connection: proof ?? null },
      text: lines.join('\n'),
    };
  },
};
