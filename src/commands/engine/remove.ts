import { GatewayError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { counted, oneWord } from '../text-parts.ts';
import { countSessions } from './engine-data.ts';

export const command: Command = {
  path: ['engine', 'remove'],
  summary: 'take an engine out, with the grants, tags and rules of its containers',
  description:
    'The containers run on; sessions in them would end, so it is refused while there are any, unless --force.',
  examples: ['ssh GATEWAY engine remove prod'],
  positionals: [{ name: 'NAME', required: true }],
  options: { force: { type: 'boolean', describe: 'end the sessions that are open there' } },
  permission: 'admin',
  changes: true,
  async run({ positionals, options }, context) {
    const { name } = await context.engines.get(oneWord(positionals['NAME']) ?? '');
    const sessions = await countSessions(context, name);
    if (sessions > 0 && options['force'] !== true) {
      throw new GatewayError('engine-in-use', { engine: name, sessions: counted(sessions, 'session') });
    }
    await context.engines.remove(name);
    return { data: { removed: name }, text: `Removed "${name}".` };
  },
};
