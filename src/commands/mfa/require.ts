import { GatewayError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { getManagedTarget } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['mfa', 'require'],
  summary: 'whether sessions in a target need a second factor',
  description:
    'Sessions of logins without one are refused, and those open are ended. To take it off, your own second\n' +
    'factor is needed. For a whole account there is "account mfa".',
  examples: [
    'ssh GATEWAY mfa require web',
    'ssh GATEWAY mfa require web on',
    'ssh GATEWAY mfa require web off',
  ],
  positionals: [{ name: 'TARGET', required: true, completes: 'target' }, { name: 'on|off' }],
  options: {},
  permission: 'unrestricted',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals }, context) {
    const { secondFactors, principal, usage } = context;
    const target = await getManagedTarget(oneWord(positionals['TARGET']) ?? '', 'mfa require', context);
    const asked = oneWord(positionals['on|off']);
    if (asked !== undefined && asked !== 'on' && asked !== 'off') throw usage('say on or off');
    const covered = await secondFactors.isTargetCovered(target.key);
    if (asked === 'off' && covered && principal.secondFactor.proof !== 'proven') {
      throw principal.secondFactor.enrolled
        ? new GatewayError('second-factor-unproven', { what: '"mfa require off"' })
        : new GatewayError('second-factor-target', { target: target.name });
    }
    if (asked !== undefined) await secondFactors.coverTarget(target.key, asked === 'on');
    const mfa = (asked === undefined ? covered : asked === 'on') ? 'required' : 'optional';
    return {
      data: { target: target.name, mfa },
      text: mfa === 'required' ? `${target.name} asks for a second factor.` : `${target.name} asks for none.`,
    };
  },
};
