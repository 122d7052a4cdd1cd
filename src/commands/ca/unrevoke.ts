import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { revocationData, revokedText } from './ca-data.ts';
import { readWhich, whichOptions } from './which-certificates.ts';

export const command: Command = {
  path: ['ca', 'unrevoke'],
  summary: 'take a revocation back',
  examples: ['ssh GATEWAY ca unrevoke office --serial=17'],
  positionals: [{ name: 'NAME', required: true }],
  options: whichOptions,
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run(args, context) {
    const name = oneWord(args.positionals['NAME']) ?? '';
    const row = await context.certificateAuthorities.unrevoke(name, readWhich(args, context));
    return {
      data: { ca: name, ...revocationData(row) },
      text: `No longer revoked: ${revokedText(row)} of "${name}".`,
    };
  },
};
