import type { Command } from '../command.ts';
import { describeHosts, hostTable, listHosts } from './host-data.ts';

export const command: Command = {
  path: ['host', 'list'],
  summary: 'the servers behind the gateway that you may reach, and which way',
  examples: ['ssh GATEWAY host list'],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, context) {
    const hosts = await describeHosts(await listHosts(context), context);
    const text = () => (hosts.length === 0 ? 'no hosts' : hostTable(hosts));
    return { data: { hosts }, text };
  },
};
