import type { Command } from '../command.ts';
import { allWords } from '../text-parts.ts';
import { describeHost } from './host-data.ts';
import { getManagedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'remove'],
  summary: 'take a server behind the gateway out, and who it was shared with',
  examples: ['ssh GATEWAY host remove production-db'],
  positionals: [{ name: 'NAME|ID', required: true, variadic: true, completes: 'host' }],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const host = await getManagedHost(allWords(positionals['NAME|ID']).join(' '), 'host remove', context);
    const removed = await describeHost(host, context);
    await context.hosts.remove(host);
    return { data: { removed }, text: `Removed "${host.name}".` };
  },
};
