import type { Command } from '../command.ts';
import { caData, caTable } from './ca-data.ts';

export const command: Command = {
  path: ['ca', 'list'],
  summary: 'the certificate authorities that are trusted, and for whom',
  examples: ['ssh GATEWAY ca list'],
  positionals: [],
  options: {},
  permission: 'admin',
  async run(_args, { certificateAuthorities }) {
    const rows = await certificateAuthorities.list();
    const text = rows.length === 0 ? 'no certificate authorities' : caTable(rows);
    return { data: { cas: rows.map(caData) }, text };
  },
};
