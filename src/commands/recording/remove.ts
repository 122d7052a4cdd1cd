import { GatewayError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { oneWord } from '../text-parts.ts';
import { getRecording, recordingData } from './recording-data.ts';

export const command: Command = {
  path: ['recording', 'remove'],
  summary: 'take a recording away for good; the audit keeps that it was there',
  examples: ['ssh GATEWAY recording remove ID'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'admin',
  changes: true,
  async run({ positionals }, context) {
    const { recordings, audit, principal } = context;
    const summary = await getRecording(oneWord(positionals['ID']) ?? '', context);
    const { id, target, account } = summary;
    if (!(await recordings.remove(id))) throw new GatewayError('recording-running', { recording: id });
    audit.recordingUsed(principal.identity, { recordingId: id, target, of: account, how: 'removed' });
    return { data: { removed: recordingData(summary) }, text: `Removed the recording ${id}.` };
  },
};
