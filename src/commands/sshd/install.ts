import type { Arguments, Command, CommandContext } from '../command.ts';
import { getManagedContainer } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';
import { syncAnswer } from './sync-answer.ts';

export const command: Command = {
  path: ['sshd', 'install'],
  summary: 'install and start an SSH server in a container, and sync the keys that may reach it',
  description:
    'As root in the container, by the package manager of its image: apt-get, apk, dnf, yum, pacman or zypper. This takes\n' +
    'minutes; its output is shown. Logins with passwords are turned off.',
  examples: ['ssh GATEWAY sshd install web'],
  positionals: [{ name: 'TARGET', required: true, completes: 'container' }],
  options: {},
  permission: 'unrestricted',
  outlasts: true,
  changes: true,
  long: true,
  recheck: (args, context) => getTarget(args, context),
  async run(args, context) {
    const { io, progress, containerSshd } = context;
    const target = await getTarget(args, context);
    const options = { closed: io.closed, ...(progress ? { progress } : {}) };
    return syncAnswer(target, await containerSshd.install(target, options));
  },
};

const getTarget = ({ positionals }: Arguments, context: CommandContext) =>
  getManagedContainer(oneWord(positionals['TARGET']) ?? '', 'sshd install', context);
