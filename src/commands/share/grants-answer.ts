import { listGrants } from '../../auth/grants.ts';
import type { AccountRow, GrantRow } from '../../store/schema.ts';
import type { Target } from '../../targets/target.ts';
import type { CommandContext } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';

/** Who a target is shared with now. */
export async function grantsAnswer(target: Target, { store }: CommandContext) {
  const rows = await listGrants(store, target.key);
  const data = {
    target: target.name,
    accounts: rows.map(({ grant, account }) => ({
      account: account.name,
      users: grant.users,
      no_pty: grant.noPty,
      no_forwarding: grant.noForwarding,
      no_sftp: grant.noSftp,
      created_at: grant.createdAt,
    })),
  };
  if (rows.length === 0) return { data, text: `${target.name} is shared with nobody.` };
  return { data, text: textTable(['ACCOUNT', 'USERS', 'LIMITS', 'SINCE'], rows.map(tableRow)) };
}

function tableRow({ grant, account }: { grant: GrantRow; account: AccountRow }): string[] {
  const limits = [grant.noPty && 'no-pty', grant.noForwarding && 'no-forwarding', grant.noSftp && 'no-sftp'];
  const users = grant.users.length > 0 ? grant.users.join(', ') : '(default)';
  return [
    account.name,
    users,
    limits.filter((limit) => limit !== false).join(', '),
    shortTime(grant.createdAt, ''),
  ];
}
