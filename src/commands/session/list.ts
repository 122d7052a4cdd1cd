import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';
import { sessionData, silenceNotice, visibleTo } from './session-data.ts';

export const command: Command = {
  path: ['session', 'list'],
  summary: 'what is running, where, since when, on all gateways; an admin sees everybody',
  examples: ['ssh GATEWAY session list'],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, { principal, session, sessions: directory }) {
    const { sessions: found, silent } = await directory.find(visibleTo(principal));
    const sessions = found.map((facts) => sessionData(facts, session));
    const isOneOfSeveral = sessions.some(({ gateway }) => gateway !== undefined);
    const rows = sessions.map((row) => [
      row.current ? `${row.id} *` : row.id,
      ...(isOneOfSeveral ? [row.gateway ?? ''] : []),
      row.account,
      row.target,
      row.what,
      row.source,
      shortTime(row.since, ''),
      `${row.bytes_in}/${row.bytes_out}`,
    ]);
    const where = isOneOfSeveral ? ['GATEWAY'] : [];
    const text = textTable(
      ['ID', ...where, 'ACCOUNT', 'TARGET', 'WHAT', 'FROM', 'SINCE', 'BYTES IN/OUT'],
      rows,
    );
    const answer = { data: { sessions }, text: rows.length === 0 ? 'no sessions' : text };
    if (silent.length === 0) return answer;
    return { ...answer, data: { sessions, silent }, notice: silenceNotice(silent) };
  },
};
