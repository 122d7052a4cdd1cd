import type { Command } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { oneWord } from '../text-parts.ts';
import { endText, getRecording, recordingData } from './recording-data.ts';

export const command: Command = {
  path: ['recording', 'show'],
  summary: 'who, where, when and what of a recording; "recording play" shows what happened',
  examples: ['ssh GATEWAY recording show ID'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'unrestricted',
  async run({ positionals }, context) {
    const summary = await getRecording(oneWord(positionals['ID']) ?? '', context);
    const { terminal } = summary;
    const rows = [
      ['id', summary.id],
      ...(summary.gateway === undefined ? [] : [['gateway', summary.gateway]]),
      ['account', summary.account],
      ['key', summary.fingerprint],
      ['from', summary.source],
      ['target', summary.user === undefined ? summary.target : `${summary.user}@${summary.target}`],
      ['kind', terminal ? `terminal ${terminal.columns}x${terminal.rows} (${terminal.term})` : summary.kind],
      ['command', summary.command],
      ['began', summary.startedAt],
      ['length', summary.durationS === undefined ? '-' : `${summary.durationS.toFixed(1)} s`],
      ['size', `${summary.bytes} bytes`],
      ['required', summary.required ? 'yes' : 'no'],
      ['end', endText(summary)],
    ];
    return { data: recordingData(summary), text: textTable(undefined, rows) };
  },
};
