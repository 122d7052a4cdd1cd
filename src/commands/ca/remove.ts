import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { caData } from './ca-data.ts';

export const command: Command = {
  path: ['ca', 'remove'],
  summary: 'trust an authority no longer; open connections by its certificates are closed at once',
  examples: ['ssh GATEWAY ca remove office'],
  positionals: [{ name: 'NAME', required: true }],
  options: {},
  permission: 'admin',
  changes: true,
  async run({ positionals }, { certificateAuthorities }) {
    const row = await certificateAuthorities.remove(oneWord(positionals['NAME']) ?? '');
    return { data: { removed: caData(row) }, text: `Trusting "${row.name}" ${row.fingerprint} no longer.` };
  },
};
