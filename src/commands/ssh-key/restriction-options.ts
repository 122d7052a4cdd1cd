/** The flags of `ssh-key add` that say what an authorized_keys option says. */
import { applyOptions, type KeyOption } from '../../keys/key-options.ts';
import type { KeyRestrictions } from '../../store/schema.ts';
import type { Arguments, Option } from '../command.ts';

export const restrictionOptions: Readonly<Record<string, Option>> = {
  from: { type: 'string', placeholder: '10.0.0.0/8', describe: 'it works from these addresses only' },
  command: { type: 'string', placeholder: 'CMD', describe: 'it runs this, whatever was asked' },
  'permit-open': {
    type: 'string',
    placeholder: 'web:22',
    describe: 'ssh -J reaches these only: HOST:PORT,…',
  },
  restrict: { type: 'boolean', describe: 'no terminal, no forwarding of ports or agent' },
  'no-pty': { type: 'boolean', describe: 'no terminal' },
  'no-port-forwarding': { type: 'boolean', describe: 'no ssh -J, -L, -R' },
  'no-agent-forwarding': { type: 'boolean', describe: 'no ssh -A' },
  'no-touch-required': { type: 'boolean', describe: 'a security key need not be touched' },
  'verify-required': { type: 'boolean', describe: 'a security key must ask for PIN or finger' },
};

/** Throws invalid-key. */
export function readRestrictions(given: Arguments['options']): KeyRestrictions {
  const options = Object.keys(restrictionOptions).flatMap((flag): KeyOption[] => {
    const value = given[flag];
    if (value === true) return [{ name: flag, value: undefined }];
    if (typeof value !== 'string') return [];
    if (flag !== 'permit-open') return [{ name: flag, value }];
    return value.split(',').map((one) => ({ name: 'permitopen', value: one.trim() }));
  });
  return applyOptions(options).restrictions;
}
