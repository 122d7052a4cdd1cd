import { GatewayError } from '../../errors.ts';
import type { SecondFactorStanding } from '../../second-factor/standing.ts';
import type { Command } from '../command.ts';
import { getManagedTarget } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['mfa', 'require'],
  summary: 'whether sessions in a target need a second factor',
  description:
    'Sessions of logins without one are refused, and those open are ended. To put it on or take it off, your own\n' +
    'second factor is needed. For a whole account there is "account mfa".',
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
    const changes = asked !== undefined && covered !== (asked === 'on');
    if (changes) checkShown(principal.secondFactor, asked, target.name);
    if (asked !== undefined) await secondFactors.coverTarget(target.key, asked === 'on');
    const mfa = (asked === undefined ? covered : asked === 'on') ? 'required' : 'optional';
    return {
      data: { target: target.name, mfa },
      text: mfa === 'required' ? `${target.name} asks for a second factor.` : `${target.name} asks for none.`,
    };
  },
};

/** Whoever has none would close the target to themselves, or open it to others like them. */
function checkShown({ enrolled, proof }: SecondFactorStanding, asked: 'on' | 'off', target: string): void {
  if (proof === 'proven') return;
  if (enrolled) throw new GatewayError('second-factor-unproven', { what: `"mfa require ${asked}"` });
  throw new GatewayError(asked === 'on' ? 'second-factor-first' : 'second-factor-target', { target });
}
