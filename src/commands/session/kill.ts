import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { sessionData, visibleTo } from './session-data.ts';

export const command: Command = {
  path: ['session', 'kill'],
  summary: 'end a session; "session list" shows the ids',
  examples: ['ssh GATEWAY session kill ID'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const { principal, session, sessions } = context;
    const id = oneWord(positionals['ID']) ?? '';
    const [found] = (await sessions.find({ ...visibleTo(principal), id })).sessions;
    const isEnded = found && (await sessions.end(id, `this session was ended by ${principal.account.name}.`));
    if (!isEnded) throw new GatewayError('session-not-found', { session: excerpt(id) });
    const data = sessionData(found, session);
    return { data, text: `Ended session ${id} of ${data.account} in ${data.target}.` };
  },
};
