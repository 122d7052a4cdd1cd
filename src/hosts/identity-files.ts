/** Private keys that the operator put into DATA/identities, for sessions that the gateway opens itself. */
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';

export const identitiesFolder = (dataDir: string) => join(dataDir, 'identities');

/**
 * The file's path below DATA/identities. `path` is that, or starts with that folder. Throws invalid-host unless a regular
 * file is there that nobody else may read, reached without `..` and without a link. To be asked again at each use.
 */
export async function checkIdentityFile(dataDir: string, path: string): Promise<string> {
  const wrong = (advice: string) =>
    new GatewayError('invalid-host', { problem: `the identity file "${excerpt(path)}" ${advice}.` });
  const outside = () => wrong('is not in DATA/identities on the gateway, where the operator puts such keys');
  if (hasControlCharacters(path) || path.split('/').includes('..')) throw outside();
  const folder = await realpath(identitiesFolder(dataDir)).catch(() => {
    throw outside();
  });
  const below = normalize(isAbsolute(path) ? relative(identitiesFolder(absolute(dataDir)), path) : path);
  if (below === '.' || below.startsWith('..') || isAbsolute(below) || below.endsWith(sep)) throw outside();
  const file = join(folder, below);
  const facts = await lstat(file).catch(() => {
    throw outside();
  });
  if ((await realpath(file)) !== file) throw outside();
  if (!facts.isFile()) throw wrong('is no file');
  if ((facts.mode & 0o077) !== 0) throw wrong('can be read by others; its mode must be 0600');
  return below;
}

const absolute = (path: string) => (isAbsolute(path) ? path : join(process.cwd(), path));
