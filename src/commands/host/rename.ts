import type { Command } from '../command.ts';
import { allWords, oneWord } from '../text-parts.ts';
import { describeHost } from './host-data.ts';
import { getManagedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'rename'],
  summary: 'give a server behind the gateway another name',
  description:
    'Give OLD by its short name or its id. Who it is shared with, its tags and its host keys stay; tokens that name the\n' +
    'old name reach it no more.',
  examples: ['ssh GATEWAY host rename production-db "Old Production DB"'],
  positionals: [
    { name: 'OLD', required: true, completes: 'host' },
    { name: 'NEW', required: true, variadic: true },
  ],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const host = await getManagedHost(oneWord(positionals['OLD']) ?? '', 'host rename', context);
    const renamed = await context.hosts.rename(host, allWords(positionals['NEW']).join(' '));
    const data = await describeHost(renamed, context);
    return {
      data,
      text: `"${host.name}" is "${data.name}" (${data.slug}) now. Connect with: ${data.ssh_command}`,
    };
  },
};
