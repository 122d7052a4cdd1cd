import type { HostRow } from '../../store/schema.ts';
import type { Command } from '../command.ts';
import { allWords, shortTime } from '../text-parts.ts';
import { describeHost, type HostData, keyLines, listHosts, wayText } from './host-data.ts';
import { getReachedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'show'],
  summary: 'one server behind the gateway: where it is, its host keys, and how to connect',
  examples: ['ssh GATEWAY host show production-db'],
  positionals: [{ name: 'NAME|ID', required: true, variadic: true, completes: 'host' }],
  options: {},
  permission: 'anyone',
  async run({ positionals }, context) {
    const host = await getReachedHost(allWords(positionals['NAME|ID']).join(' '), context);
    const data = await describeHost(host, context);
    const via = (await listHosts(context)).find(({ id }) => id === host.via);
    return { data, text: () => hostText(host, data, via) };
  },
};

function hostText(host: HostRow, data: HostData, via: HostRow | undefined): string {
  const { users, ports } = data;
  return [
    `Name: ${host.name} (${host.slug})`,
    `Id: ${host.id}`,
    `Address: ${host.hostname}, port ${host.port}`,
    `User: ${host.username}`,
    ...(users.length === 1 ? [] : [`Users through the gateway: ${users.join(', ')}`]),
    `Way: ${wayText(data)}; ${loginText(data)}`,
    ...(data.pinned ? ['Host keys:', ...keyLines(data.host_keys)] : [`Host keys: ${unpinnedText(host)}`]),
    ...(ports.length === 0 ? [] : [`Ports to forward: ${ports.join(', ')}`]),
    ...(host.via === undefined ? [] : [`Reached through: ${via?.name ?? 'another host'}`]),
    `Shared: ${host.shared ? 'with everybody' : 'no'}`,
    `Added: ${shortTime(host.createdAt, '')}`,
    `Command: ${data.ssh_command}`,
  ].join('\n');
}

const unpinnedText = ({ slug }: HostRow) =>
  `unpinned; the gateway does not log in until "host trust ${slug} --yes"`;

/** Whose key opens it. */
function loginText({ way, identity_file: file, egress_key: egress }: HostData): string {
  if (way === 'end-to-end') return 'you log in with your own key';
  const keys = [...(file === null ? [] : [`its identity file ${file}`]), ...(egress ? ['its own key'] : [])];
  return keys.length === 0
    ? 'it logs in for you with your forwarded agent'
    : `it logs in for you with ${keys.join(', then ')}`;
}
