import type { Command } from '../command.ts';
import { allWords, shortTime } from '../text-parts.ts';
import { hostData, listHosts } from './host-data.ts';
import { getReachedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'show'],
  summary: 'one server behind the gateway: where it is and how to connect',
  examples: ['ssh GATEWAY host show production-db'],
  positionals: [{ name: 'NAME|ID', required: true, variadic: true }],
  options: {},
  permission: 'anyone',
  async run({ positionals }, context) {
    const host = await getReachedHost(allWords(positionals['NAME|ID']).join(' '), context);
    const data = hostData(host, context);
    const via = (await listHosts(context)).find(({ id }) => id === host.via);
    const lines = [
      `Name: ${host.name} (${host.slug})`,
      `Id: ${host.id}`,
      `Address: ${host.hostname}, port ${host.port}`,
      `User: ${host.username}`,
      `Identity file: ${host.identityFile ?? 'none; you log in with your own key'}`,
      ...(host.ports.length === 0 ? [] : [`Ports to forward: ${host.ports.join(', ')}`]),
      ...(host.via === undefined ? [] : [`Reached through: ${via?.name ?? 'another host'}`]),
      `Shared: ${host.shared ? 'with everybody' : 'no'}`,
      `Added: ${shortTime(host.createdAt, '')}`,
    ];
    return { data, text: [...lines, `Command: ${data.ssh_command}`].join('\n') };
  },
};
