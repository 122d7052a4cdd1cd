import type { Command } from '../command.ts';
import { getManagedContainer } from '../managed-target.ts';
import { oneWord } from '../text-parts.ts';
import { syncAnswer } from './sync-answer.ts';

export const command: Command = {
  path: ['sshd', 'sync'],
  summary: "write the keys that may reach a container into its user's authorized_keys",
  description:
    'For a container with an SSH server of its own. A block between two comments is kept by the gateway; other lines stay.\n' +
    'Keys under a second factor or a grant with limits are left out, as an SSH server there would not ask for the one and\n' +
    'not keep the other. Keys that are removed later are taken out of the container too.',
  examples: ['ssh GATEWAY sshd sync web'],
  positionals: [{ name: 'TARGET', required: true, completes: 'container' }],
  options: {},
  permission: 'unrestricted',
  outlasts: true,
  changes: true,
  async run({ positionals }, context) {
    const target = await getManagedContainer(oneWord(positionals['TARGET']) ?? '', 'sshd sync', context);
    return syncAnswer(target, await context.containerSshd.sync(target));
  },
};
