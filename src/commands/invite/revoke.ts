import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { inviteData } from './invite-data.ts';

export const command: Command = {
  path: ['invite', 'revoke'],
  summary: 'make an invite worthless; "invite list" shows the ids',
  examples: ['ssh GATEWAY invite revoke ID'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'admin',
  changes: true,
  async run({ positionals }, { invites }) {
    const row = await invites.revoke(oneWord(positionals['ID']) ?? '');
    return { data: inviteData(row), text: `Revoked invite ${row.id}.` };
  },
};
