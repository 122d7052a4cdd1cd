import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { inviteData } from './invite-data.ts';

export const command: Command = {
  path: ['invite', 'revoke'],
  summary: 'make an invite worthless, by its id ("invite list" shows it) or its code',
  examples: ['ssh GATEWAY invite revoke INVITE'],
  positionals: [{ name: 'INVITE', required: true }],
  options: {},
  permission: 'admin',
  changes: true,
  async run({ positionals }, { invites }) {
    const row = await invites.revoke(oneWord(positionals['INVITE']) ?? '');
    return { data: inviteData(row), text: `Revoked invite ${row.id}.` };
  },
};
