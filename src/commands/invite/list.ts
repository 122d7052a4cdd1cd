import type { InviteRow } from '../../store/schema.ts';
import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';
import { inviteData } from './invite-data.ts';

export const command: Command = {
  path: ['invite', 'list'],
  summary: 'the invites that are still good',
  examples: ['ssh GATEWAY invite list'],
  positionals: [],
  options: {},
  permission: 'admin',
  async run(_args, { invites }) {
    const rows = await invites.list();
    const text =
      rows.length === 0 ? 'no open invites' : textTable(['ID', 'ROLE', 'NAME', 'UNTIL'], rows.map(tableRow));
    return { data: { invites: rows.map(inviteData) }, text };
  },
};

const tableRow = ({ id, role, name, expiresAt }: InviteRow) => [
  id,
  role,
  name ?? '(any)',
  shortTime(expiresAt, ''),
];
