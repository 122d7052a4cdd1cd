import type { HostRow } from '../store/schema.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { describeHost, wayText } from './host/host-data.ts';
import { sshCommand } from './target-data.ts';
import { oneWord } from './text-parts.ts';

export const command: Command = {
  path: ['connect'],
  summary: 'how to connect to a target: host, port, login name',
  examples: ['ssh GATEWAY connect web', 'ssh GATEWAY connect web --json'],
  positionals: [{ name: 'TARGET', required: true, completes: 'target' }],
  options: {},
  permission: 'anyone',
  async run({ positionals }, context) {
    const { targets, principal, endpoint } = context;
    const target = await targets.resolve(principal, oneWord(positionals['TARGET']) ?? '');
    if (target.kind === 'host') return connectHost(target.host, context);
    const { host, port } = endpoint();
    const data = {
      host,
      port,
      username: targets.sshName(target),
      container_id: target.id,
      container_name: target.name,
      container_user: await targets.defaultUser(target),
      ssh_command: sshCommand(target, context),
    };
    const lines = [
      `Host: ${host}`,
      `Port: ${port}`,
      `Login name: ${data.username}`,
      `Container: ${target.id}`,
      `User there: ${data.container_user}`,
    ];
    return { data, text: [...lines, `Command: ${data.ssh_command}`].join('\n') };
  },
};

/** Which of the two ways, and to whose SSH server: the host's own through a jump, or the gateway's. */
async function connectHost(host: HostRow, context: CommandContext): Promise<CommandResult> {
  const { targets, hosts, endpoint } = context;
  const shown = await describeHost(host, context);
  const gateway = endpoint();
  const isEndToEnd = shown.way === 'end-to-end';
  const data = {
    host: isEndToEnd ? host.hostname : gateway.host,
    port: isEndToEnd ? host.port : gateway.port,
    username: isEndToEnd ? host.username : targets.sshName(await hosts.asTarget(host)),
    host_id: host.id,
    host_name: host.name,
    way: shown.way,
    ssh_command: shown.ssh_command,
  };
  const lines = [
    `Host: ${data.host}`,
    `Port: ${data.port}`,
    `Login name: ${data.username}`,
    `Way: ${wayText(shown)}`,
    `Command: ${data.ssh_command}`,
  ];
  return { data, text: lines.join('\n') };
}
