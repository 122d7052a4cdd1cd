import type { Revocable } from '../../certificate-authorities/certificate-authorities.ts';
import type { Arguments, CommandContext, Option } from '../command.ts';
import { optionText } from '../text-parts.ts';

export const whichOptions: Readonly<Record<string, Option>> = {
  serial: {
    type: 'string',
    placeholder: 'N',
    describe: 'the certificate of this serial number (ssh-keygen -z)',
  },
  'key-id': {
    type: 'string',
    placeholder: 'ID',
    describe: 'all certificates with this key id (ssh-keygen -I)',
  },
};

/** Throws `usage` unless exactly one of --serial and --key-id was given. */
export function readWhich({ options }: Arguments, { usage }: CommandContext): Revocable {
  const serial = optionText(options['serial']);
  const keyId = optionText(options['key-id']);
  if (serial !== undefined && keyId === undefined) return { serial };
  if (keyId !== undefined && serial === undefined) return { keyId };
  throw usage('give either --serial or --key-id; "ssh-keygen -Lf CERTIFICATE" shows both');
}
