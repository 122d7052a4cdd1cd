import { auditEvents } from '../audit/audit.ts';
import type { AuditEntry } from '../audit/chain.ts';
import { searchAudit } from '../audit/search-audit.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { Command, CommandContext } from './command.ts';
import { textTable } from './interpreter/text-table.ts';
import { limitOption, parseLimit } from './limit-option.ts';
import { optionText } from './text-parts.ts';

/** Columns of their own, or of no use to people. */
const shownApart = new Set(['account', 'accountId', 'fingerprint', 'source', 'sessionId', 'connectionId']);

export const command: Command = {
  path: ['audit'],
  summary: 'who did what, and what was refused: the newest events, oldest first',
  description:
    'Filters join: an event must fit all of them. --since takes a time in UTC (2026-11-21, 2026-11-21T09:30) or an age\n' +
    '(30m, 12h, 7d). Whether nothing was changed or taken out, "postern audit verify" says on the gateway\'s machine.',
  examples: [
    'ssh GATEWAY audit',
    'ssh GATEWAY audit --account=alice --since=7d',
    'ssh GATEWAY audit --event=login-refused --limit=1000 --json',
  ],
  positionals: [],
  options: {
    account: { type: 'string', placeholder: 'NAME', describe: 'what this account did' },
    event: { type: 'string', placeholder: 'EVENT', describe: 'like login-refused or session-started' },
    target: { type: 'string', placeholder: 'NAME', describe: 'sessions and forwards there' },
    source: { type: 'string', placeholder: 'ADDRESS', describe: 'from this address' },
    key: { type: 'string', placeholder: 'SHA256:…', describe: 'by the key of this fingerprint' },
    since: { type: 'string', placeholder: 'TIME', describe: 'not older than this' },
    limit: limitOption,
  },
  permission: 'admin',
  async run({ options }, context) {
    const text = (name: string) => optionText(options[name]);
    const filter = {
      account: text('account'),
      event: parseEvent(text('event'), context),
      target: text('target'),
      source: text('source'),
      fingerprint: text('key'),
      since: parseSince(text('since'), context),
    };
    // Events are gathered for a moment before they are written.
    await context.flushAudit();
    const entries = await searchAudit(context.config.dataDir, filter, parseLimit(options['limit'], context));
    const data = { events: entries.map(({ fields, ...entry }) => ({ ...entry, ...fields })) };
    return { data, text: () => (entries.length === 0 ? 'no such events' : tableOf(entries)) };
  },
};

/** A misspelt event would be searched for in vain, and look as if there had been none. */
function parseEvent(text: string | undefined, context: CommandContext): string | undefined {
  if (text === undefined || auditEvents.some((event) => event === text)) return text;
  throw context.usage(`there is no event "${excerpt(text)}"; there are ${auditEvents.join(', ')}`);
}

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** ISO 8601, as events carry it. */
function parseSince(text: string | undefined, context: CommandContext): string | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return new Date(context.clock.now() - Number(count) * (unitsMs[unit] ?? 0)).toISOString();
  }
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/.test(text);
  const time = isTime ? Date.parse(text.length > 10 ? `${text.replace(/Z$/, '')}Z` : text) : Number.NaN;
  if (Number.isNaN(time)) throw context.usage('--since is a time like 2026-11-21T09:30, or an age like 12h');
  return new Date(time).toISOString();
}

function tableOf(entries: readonly AuditEntry[]): string {
  const rows = entries.map(({ time, event, fields }) => [
    time.slice(0, 19).replace('T', ' '),
    event,
    String(fields['account'] ?? '-'),
    String(fields['source'] ?? '-'),
    excerpt(detailsOf(fields), 100),
  ]);
  return textTable(['TIME', 'EVENT', 'ACCOUNT', 'FROM', 'DETAILS'], rows);
}

const detailsOf = (fields: AuditEntry['fields']): string =>
  Object.entries(fields)
    .filter(([name]) => !shownApart.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
