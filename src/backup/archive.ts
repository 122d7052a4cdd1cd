/** A backup as bytes: a tar file (POSIX ustar/pax) whose first member, the manifest, says what else there is. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { isStateName, storeName } from './state-files.ts';

/** Of everything in it together. */
export const maxBackupBytes = 512 * 1024 * 1024;
const maxFiles = 10_000;
const manifestName = 'manifest.json';
const formatVersion = 1;

const manifestSchema = z.strictObject({
  format: z.literal('postern-backup'),
  formatVersion: z.int(),
  /** Of the program that made it. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** The last line of the audit when it was made: its number, and its hash, for `audit verify --expect`. */
  auditHead: z.strictObject({ seq: z.int(), hash: z.string() }),
  files: z
    .array(z.strictObject({ name: z.string(), bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(maxFiles),
});

type Manifest = z.infer<typeof manifestSchema>;

export interface Backup {
  readonly manifest: Readonly<Manifest>;
  /** By name, `store/postern.json` among them. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export async function packBackup(
  facts: Pick<Manifest, 'version' | 'createdAt' | 'auditHead'>,
  files: ReadonlyMap<string, Buffer>,
): Promise<Buffer> {
  const manifest: Manifest = {
    format: 'postern-backup',
    formatVersion,
    ...facts,
    files: [...files].map(([name, content]) => ({ name, bytes: content.length, sha256: sha256(content) })),
  };
  const archive = pack();
  const mtime = new Date(facts.createdAt);
  archive.entry({ name: manifestName, mode: 0o600, mtime }, `${JSON.stringify(manifest, null, 2)}\n`);
  for (const [name, content] of files) archive.entry({ name, mode: 0o600, mtime }, content);
  archive.finalize();
  return buffer(archive);
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

const refused = (problem: string, cause?: unknown) =>
  new GatewayError('backup-refused', { problem }, { cause });

/** Reads and checks all of it. Throws backup-refused. */
export async function unpackBackup(bytes: Buffer): Promise<Backup> {
  const members = await readMembers(bytes);
  const manifest = readManifest(members.get(manifestName));
  members.delete(manifestName);
  const listed = new Set(manifest.files.map(({ name }) => name));
  const unlisted = [...members.keys()].find((name) => !listed.has(name));
  if (unlisted !== undefined) throw refused(`its manifest does not list "${excerpt(unlisted)}"`);
  for (const { name, bytes: length, sha256: hash } of manifest.files) {
    const content = members.get(name);
    if (!isStateName(name)) throw refused(`"${excerpt(name)}" is no file of a gateway`);
    if (!content) throw refused(`"${name}" is missing from it`);
    if (content.length !== length || sha256(content) !== hash)
      throw refused(`"${name}" was changed or damaged since it was made`);
  }
  if (!members.has(storeName)) throw refused('there is no store in it');
  return { manifest, files: members };
}

function readManifest(content: Buffer | undefined): Manifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content?.toString('utf8') ?? '');
  } catch (cause) {
    throw refused('it is no backup made by "postern backup"', cause);
  }
  const found = (parsed as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof found === 'number' && found > formatVersion) {
    throw refused(`a newer version of Postern made it (format ${found}); restore it with that version`);
  }
  const manifest = manifestSchema.safeParse(parsed);
  if (!manifest.success) throw refused('its manifest is malformed', manifest.error);
  return manifest.data;
}

async function readMembers(bytes: Buffer): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const archive = extract();
  const feeding = Readable.from([bytes]).pipe(archive);
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header;
      if (type !== 'file') throw refused(`"${excerpt(name)}" in it is no plain file`);
      if (members.has(name)) throw refused(`"${excerpt(name)}" is in it twice`);
      if (members.size > maxFiles) throw refused('there are too many files in it');
      members.set(name, await buffer(entry));
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw refused('it is no backup made by "postern backup", or is cut short', cause);
  } finally {
    feeding.destroy();
  }
  return members;
}
