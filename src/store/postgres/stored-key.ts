/** Ids and searchable values as PostgreSQL can keep them: its text knows neither NUL nor half a surrogate pair, its indexes no long value. */
import { createHash } from 'node:crypto';

const longestInIndex = 1_000;

/** As in JSON, without the quotes; a long one as its hash. Different values have different keys. */
export function storedKey(value: string): string {
  const escaped = JSON.stringify(value).slice(1, -1);
  if (escaped.length <= longestInIndex) return escaped;
  // No escape of JSON begins so.
  return `\\sha256:${createHash('sha256').update(escaped).digest('hex')}`;
}
