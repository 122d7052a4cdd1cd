import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['sshd', 'status'],
  summary: 'whether a container has an SSH server of its own, and on which port',
  examples: ['ssh GATEWAY sshd status web'],
  positionals: [{ name: 'TARGET', required: true, completes: 'container' }],
  options: {},
  permission: 'anyone',
  async run({ positionals }, { targets, principal, containerSshd }) {
    const target = await targets.resolveContainer(principal, oneWord(positionals['TARGET']) ?? '');
    const { installed, running, port } = await containerSshd.findStatus(target);
    const data = { installed, running, port, container_id: target.id, container_status: target.state };
    if (target.state !== 'running') return { data, text: `${target.name} is ${target.state}.` };
    if (!installed) return { data, text: `${target.name} has no SSH server; "sshd install" puts one there.` };
    return {
      data,
      text: `${target.name} has an SSH server, which ${running ? 'runs' : 'does not run'}; its port is ${port}.`,
    };
  },
};
