import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { oneWord, shortTime } from '../text-parts.ts';
import { caData, caTable, revocationData } from './ca-data.ts';

export const command: Command = {
  path: ['ca', 'show'],
  summary: 'one certificate authority, its key, and what of it is revoked',
  examples: ['ssh GATEWAY ca show office'],
  positionals: [{ name: 'NAME', required: true }],
  options: {},
  permission: 'admin',
  async run({ positionals }, { certificateAuthorities }) {
    const row = await certificateAuthorities.getByName(oneWord(positionals['NAME']) ?? '');
    const revocations = await certificateAuthorities.listRevocations(row);
    const lines = revocations.map(({ serial, keyId, createdAt }) => [
      serial ?? '',
      keyId ?? '',
      shortTime(createdAt, ''),
    ]);
    const revoked =
      lines.length === 0
        ? 'nothing is revoked'
        : textTable(['REVOKED SERIAL', 'REVOKED KEY ID', 'SINCE'], lines);
    return {
      data: { ...caData(row), revocations: revocations.map(revocationData) },
      text: [caTable([row]), '', row.publicKey, '', revoked].join('\n'),
    };
  },
};
