import type { Command } from './command.ts';
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
    const target = await targets.resolveContainer(principal, oneWord(positionals['TARGET']) ?? '');
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
