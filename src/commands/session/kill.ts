import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { sessionData, visibleSessions } from './session-data.ts';

export const command: Command = {
  path: ['session', 'kill'],
  summary: 'end a session; "session list" shows the ids',
  examples: ['ssh GATEWAY session kill ID'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const { principal, session } = context;
    const id = oneWord(positionals['ID']) ?? '';
    const live = visibleSessions(context, principal).find((candidate) => candidate.id === id);
    if (!live) throw new GatewayError('session-not-found', { session: excerpt(id) });
    const data = sessionData(live, session);
    live.end(`this session was ended by ${principal.account.name}.`);
    return { data, text: `Ended session ${live.id} of ${data.account} in ${data.target}.` };
  },
};
