import type { Command } from '../command.ts';
import { hostData, hostTable, listHosts } from './host-data.ts';

export const command: Command = {
  path: ['host', 'list'],
  summary: 'the servers behind the gateway that you may reach',
  examples: ['ssh GATEWAY host list'],
  positionals: [],
  options: {},
  permission: 'anyone',
  async run(_args, context) {
    const hosts = await listHosts(context);
    const text = () => (hosts.length === 0 ? 'no hosts' : hostTable(hosts, context));
    return { data: { hosts: hosts.map((host) => hostData(host, context)) }, text };
  },
};
