import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';
import { describeEngines } from './engine-data.ts';

export const command: Command = {
  path: ['engine', 'list'],
  summary: 'the container engines: whether they answer, since when, what runs there',
  examples: ['ssh GATEWAY engine list', 'ssh GATEWAY engine list --json'],
  positionals: [],
  options: {},
  permission: 'admin',
  async run(_args, context) {
    const engines = await describeEngines(context);
    const rows = engines.map(({ name, state, draining, since, containers, sessions, way, address }) => [
      name,
      draining ? `${state}, draining` : state,
      shortTime(since ?? undefined, ''),
      containers === null ? '' : String(containers),
      String(sessions),
      way,
      address ?? '',
    ]);
    const problems = engines.flatMap(({ problem }) => problem ?? []);
    const head = ['NAME', 'STATE', 'SINCE', 'CONTAINERS', 'SESSIONS', 'WAY', 'ADDRESS'];
    return {
      data: { engines },
      text: () => textTable(head, rows),
      ...(problems.length === 0 ? {} : { notice: problems.join('\n') }),
    };
  },
};
