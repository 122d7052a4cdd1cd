import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { revocationData, revokedText } from './ca-data.ts';
import { readWhich, whichOptions } from './which-certificates.ts';

export const command: Command = {
  path: ['ca', 'revoke'],
  summary: 'make certificates of an authority worthless; their open connections are closed at once',
  description: 'ssh-keygen gives certificates the serial number 0 unless told otherwise with -z.',
  examples: [
    'ssh GATEWAY ca revoke office --serial=17',
    `ssh GATEWAY "ca revoke office --key-id='alice laptop'"`,
  ],
  positionals: [{ name: 'NAME', required: true }],
  options: whichOptions,
  permission: 'admin',
  changes: true,
  async run(args, context) {
    const name = oneWord(args.positionals['NAME']) ?? '';
    const which = readWhich(args, context);
    const row = await context.certificateAuthorities.revoke(name, which, context.principal.account.id);
    return { data: { ca: name, ...revocationData(row) }, text: `Revoked ${revokedText(row)} of "${name}".` };
  },
};
