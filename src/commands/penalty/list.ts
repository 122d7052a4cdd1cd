import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { penaltyData } from './penalty-data.ts';

const maxListed = 1_000;

export const command: Command = {
  path: ['penalty', 'list'],
  summary: 'which sources are refused for what they did, and for how long',
  description:
    'Failed logins, wrong tokens and connections that come to nothing add up (PerSourcePenalties); a source is refused from a\n' +
    'minimum on, 15 s unless configured otherwise, until the time has run off.',
  examples: ['ssh GATEWAY penalty list'],
  positionals: [],
  options: {},
  permission: 'admin',
  async run(_arguments, { penalties }) {
    const { penalties: found, total, refused } = await penalties.list(maxListed);
    const listed = found.map(penaltyData);
    const data = { penalties: listed, total, refused };
    return { data, text: () => (listed.length === 0 ? 'no penalties' : tableOf(listed, total)) };
  },
};

function tableOf(listed: readonly ReturnType<typeof penaltyData>[], total: number): string {
  const rows = listed.map(({ source, reason, seconds_left, active, refused }) => [
    source,
    reason,
    `${seconds_left} s`,
    active ? 'refused' : 'not yet',
    String(refused),
  ]);
  const table = textTable(['SOURCE', 'REASON', 'LEFT', 'STATE', 'REFUSALS'], rows);
  return total > listed.length ? `${table}\n… and ${total - listed.length} shorter ones` : table;
}
