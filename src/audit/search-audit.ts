/** The newest entries that match. */
import { type AuditFile, readAuditFiles } from './audit-files.ts';
import { type AuditEntry, parseEntry } from './chain.ts';

/** What is left out matches all. */
export interface AuditFilter {
  readonly event?: string | undefined;
  readonly account?: string | undefined;
  readonly target?: string | undefined;
  /** Address that it came from. */
  readonly source?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** Not older than, ISO 8601 in UTC. */
  readonly since?: string | undefined;
}

/** At most `limit`, oldest first. Throws what the disk throws. */
export const searchAudit = (
  dataDir: string,
  filter: AuditFilter,
  limit: number,
): Promise<readonly AuditEntry[]> => readAuditFiles(dataDir, (files) => searchFiles(files, filter, limit));

async function searchFiles(
  files: readonly AuditFile[],
  filter: AuditFilter,
  limit: number,
): Promise<readonly AuditEntry[]> {
  let found: AuditEntry[] = [];
  for (const file of files.toReversed()) {
    const ofFile = await searchFile(file, filter, limit - found.length);
    found = [...ofFile.found, ...found];
    // Files follow one another in time: what is older than `since` is in this one, and in those before it.
    if (found.length >= limit || ofFile.reachesBack) break;
  }
  return found;
}

async function searchFile({ lines }: AuditFile, filter: AuditFilter, limit: number) {
  const found: AuditEntry[] = [];
  let reachesBack = false;
  for await (const line of lines()) {
    const entry = parseEntry(line);
    if (!entry) continue;
    if (filter.since !== undefined && entry.time < filter.since) reachesBack = true;
    else if (matches(entry, filter)) {
      found.push(entry);
      if (found.length > limit) found.shift();
    }
  }
  return { found, reachesBack };
}

function matches({ event, fields }: AuditEntry, filter: AuditFilter): boolean {
  const named = ['account', 'target', 'source', 'fingerprint'] as const;
  return (
    (filter.event === undefined || filter.event === event) &&
    named.every((name) => filter[name] === undefined || filter[name] === fields[name])
  );
}
