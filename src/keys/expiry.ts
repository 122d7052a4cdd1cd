/** When a key, an invite or a token ends: what people type after `--exp`. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';

const hourMs = 3_600_000;
const unitMs = new Map([
  ['h', hourMs],
  ['d', 24 * hourMs],
  ['w', 7 * 24 * hourMs],
  ['y', 365 * 24 * hourMs],
]);

/** The last moment that has a four-digit year. */
const endOfTimeMs = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * `30d`, `12h`, `2w`, `1y`, an ISO date (its first moment in UTC) or date and time, or `never` (undefined).
 * The result is ISO 8601 in UTC, later than `now` (milliseconds since 1970). Throws usage.
 */
export function parseExpiry(text: string, now: number): string | undefined {
  const wanted = text.trim();
  if (wanted.toLowerCase() === 'never') return undefined;
  const at = findTime(wanted, now);
  const shown = `"${excerpt(text)}"`;
  if (at === undefined) {
    const problem = `${shown} is no expiry; give 30d, 12h, 2w, 1y, a date like 2030-12-31, or never.`;
    throw new GatewayError('usage', { problem });
  }
  if (at <= now) throw new GatewayError('usage', { problem: `the expiry ${shown} is not in the future.` });
  if (at > endOfTimeMs) {
    throw new GatewayError('usage', { problem: `the expiry ${shown} is too far away; "never" is possible.` });
  }
  return new Date(at).toISOString();
}

/** `30d` from `now` on, an ISO date or date and time; in milliseconds since 1970. Undefined for anything else. */
export function findTime(text: string, now: number): number | undefined {
  return parseDuration(text, now) ?? parseIsoTime(text);
}

function parseDuration(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,9})([hdwy])$/i.exec(text) ?? [];
  const ms = unitMs.get(unit.toLowerCase());
  return count === undefined || ms === undefined ? undefined : now + Number(count) * ms;
}

function parseIsoTime(text: string): number | undefined {
  const [, date, time] =
    /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  if (date === undefined) return undefined;
  // Date.parse takes 2030-02-30 for the 2nd of March.
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  const at = time === undefined ? midnight : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
