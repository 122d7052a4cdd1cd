import { excerpt } from '../../platform/excerpt.ts';
import type { RecordingSummary } from '../../recordings/recordings.ts';
import type { Arguments, Command, CommandContext } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';
import { limitOption, parseLimit } from '../limit-option.ts';
import { optionText, shortTime } from '../text-parts.ts';
import { endText, recordingData, visibleRecordings } from './recording-data.ts';

export const command: Command = {
  path: ['recording', 'list'],
  summary: 'what was recorded, the newest first: an admin sees all, owners that of their targets',
  description:
    'Those of the gateway that is asked: each keeps its own. Filters join. What is "unfinished" was cut off by the end of the gateway or of its disk, and can be played so far.\n' +
    'Web requests and commands of the lobby are in the audit, not here.',
  examples: ['ssh GATEWAY recording list', 'ssh GATEWAY recording list --target=web --account=alice'],
  positionals: [],
  options: {
    account: { type: 'string', placeholder: 'NAME', describe: 'what this account did' },
    target: { type: 'string', placeholder: 'NAME', describe: 'sessions and forwards there' },
    kind: { type: 'string', placeholder: 'KIND', describe: 'terminal, exec, files or forwards' },
    since: { type: 'string', placeholder: 'DAY', describe: 'begun on this day (2026-11-21, UTC) or later' },
    limit: limitOption,
  },
  permission: 'unrestricted',
  async run(args, context) {
    const wanted = parseFilter(args, context);
    const isVisible = await visibleRecordings(context);
    const limit = parseLimit(args.options['limit'], context);
    const found = isVisible
      ? await context.recordings.list((each) => isVisible(each) && wanted(each), limit)
      : [];
    const text = () => (found.length === 0 ? 'no recordings' : tableOf(found));
    return { data: { recordings: found.map(recordingData) }, text };
  },
};

function parseFilter({ options }: Arguments, context: CommandContext): (each: RecordingSummary) => boolean {
  const equals = (['account', 'target', 'kind'] as const).flatMap((name) => {
    const value = optionText(options[name]);
    return value === undefined ? [] : [(each: RecordingSummary) => each[name] === value];
  });
  const since = optionText(options['since']);
  if (since !== undefined && !/^\d{4}-\d\d-\d\d$/.test(since)) {
    throw context.usage('--since is a day like 2026-11-21');
  }
  return (each) =>
    equals.every((matches) => matches(each)) && (since === undefined || each.startedAt >= since);
}

function tableOf(found: readonly RecordingSummary[]): string {
  const isOneOfSeveral = found.some(({ gateway }) => gateway !== undefined);
  const rows = found.map((each) => [
    each.id,
    ...(isOneOfSeveral ? [each.gateway ?? ''] : []),
    shortTime(each.startedAt, ''),
    each.account,
    each.user === undefined ? each.target : `${each.user}@${each.target}`,
    each.kind,
    each.durationS === undefined ? '-' : `${each.durationS.toFixed(1)} s`,
    String(each.bytes),
    endText(each),
    excerpt(each.command, 60),
  ]);
  const where = isOneOfSeveral ? ['GATEWAY'] : [];
  return textTable(
    ['ID', ...where, 'BEGAN', 'ACCOUNT', 'TARGET', 'KIND', 'LENGTH', 'BYTES', 'END', 'COMMAND'],
    rows,
  );
}
