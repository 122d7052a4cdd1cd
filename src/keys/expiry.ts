import { GatewayError } from '../errors.ts';

const unitsMs: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/**
 * When something expires, ISO 8601: `30d`, `12h`, `1y` from `now` (milliseconds since 1970), an ISO date,
 * or `never` (undefined). Throws `usage`, also for a time that has passed.
 */
export function parseExpiry(text: string, now: number): string | undefined {
  if (text === 'never') return undefined;
  const at = /^\d{1,6}[mhdwy]$/.test(text)
    ? now + Number(text.slice(0, -1)) * (unitsMs[text.at(-1) as string] as number)
    : /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (!(at < 253_402_300_800_000)) {
    throw new GatewayError('usage', {
      problem: `"${text}" is no expiry; write 30d, 12h, 1y, a date like 2030-12-31, or never.`,
    });
  }
  if (at <= now) throw new GatewayError('usage', { problem: `the expiry "${text}" has passed already.` });
  return new Date(at).toISOString();
}
