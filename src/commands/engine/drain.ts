import type { Command } from '../command.ts';
import { counted, oneWord } from '../text-parts.ts';
import { countSessions } from './engine-data.ts';

export const command: Command = {
  path: ['engine', 'drain'],
  summary: 'let no new session into an engine; those that run go on',
  description: 'Connections stay, and their forwards, new ones too. --undo lets sessions in again.',
  examples: ['ssh GATEWAY engine drain prod', 'ssh GATEWAY engine drain prod --undo'],
  positionals: [{ name: 'NAME', required: true }],
  options: { undo: { type: 'boolean', describe: 'new sessions are let in again' } },
  permission: 'admin',
  changes: true,
  async run({ positionals, options }, context) {
    const draining = options['undo'] !== true;
    const { name } = await context.engines.setDraining(oneWord(positionals['NAME']) ?? '', draining);
    const sessions = await countSessions(context, name);
    const text = draining
      ? `"${name}" takes no new sessions; ${counted(sessions, 'session')} still open.`
      : `"${name}" takes new sessions.`;
    return { data: { name, draining, sessions }, text };
  },
};
