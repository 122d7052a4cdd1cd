/** Private keys that the operator put into DATA/identities, for sessions that the gateway opens itself. */
import { constants, type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { GatewayError } from '../errors.ts';
import { classifyPrivateKeyFile, type PrivateKeyFile } from '../keys/private-key-file.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';

export const identitiesFolder = (dataDir: string) => join(dataDir, 'identities');

/** Longer than any private key's file. */
const maxBytes = 64 * 1024;

/**
 * The file's path below DATA/identities. `path` is that, or starts with that folder. Throws invalid-host unless a regular
 * file is there that nobody else may read, reached without `..` and without a link, which holds a private key without
 * passphrase. To be asked again at each use.
 */
export async function checkIdentityFile(dataDir: string, path: string): Promise<string> {
  return (await readIdentityFile(dataDir, path)).path;
}

/** The same with what it holds: the very bytes that were checked. */
export async function readIdentityFile(
  dataDir: string,
  path: string,
): Promise<{ readonly path: string; readonly privateKey: Buffer }> {
  const wrong = (advice: string) =>
    new GatewayError('invalid-host', { problem: `the identity file "${excerpt(path)}" ${advice}.` });
  const { path: below, content } = await readFileOfOperator(dataDir, path, { secret: true, wrong });
  const advice = problems[content ? classifyPrivateKeyFile(content.toString('latin1')) : 'none'];
  if (!content || advice !== undefined) throw wrong(advice ?? '');
  return { path: below, privateKey: content };
}

export interface FileOfOperator {
  /** Nobody else may read it; else, nobody else may write it. */
  readonly secret: boolean;
  /** Makes what is thrown of a sentence's end. */
  readonly wrong: (advice: string) => GatewayError;
}

/**
 * A regular file below DATA/identities, reached without `..` and without a link: its path there, and the very bytes of the
 * file that was checked; undefined beyond 64 KiB.
 */
export async function readFileOfOperator(
  dataDir: string,
  path: string,
  { secret, wrong }: FileOfOperator,
): Promise<{ readonly path: string; readonly content: Buffer | undefined }> {
  const below = pathBelow(dataDir, path);
  if (below === undefined) throw wrong(`is not in DATA/identities on the gateway, where ${operator}`);
  const missing = () => wrong(`is not there: in DATA/identities on the gateway ${operator}`);
  const folder = await realpath(identitiesFolder(dataDir)).catch(() => {
    throw missing();
  });
  const file = join(folder, below);
  const facts = await lstat(file).catch(() => {
    throw missing();
  });
  if ((await realpath(file).catch(() => undefined)) !== file) {
    throw wrong('is a link, or is reached through one; put the key itself there');
  }
  if (!facts.isFile()) throw wrong('is no file');
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: NodeJS.ErrnoException) => {
      throw wrong(`cannot be read by the gateway (${cause.code}); it must belong to its user`);
    },
  );
  try {
    const opened = await handle.stat();
    if (opened.ino !== facts.ino || opened.dev !== facts.dev) throw wrong('was replaced just now; try again');
    if (secret && (opened.mode & 0o077) !== 0) throw wrong('can be read by others; its mode must be 0600');
    if ((opened.mode & 0o022) !== 0) throw wrong('can be written by others; its mode must be 0644 or 0600');
    return { path: below, content: await readBounded(handle) };
  } finally {
    await handle.close();
  }
}

const operator = 'the operator puts such keys';

const problems: Readonly<Record<PrivateKeyFile, string | undefined>> = {
  usable: undefined,
  encrypted:
    'has a passphrase, which nobody is there to type; give it a key without one (ssh-keygen -p -N "" -f FILE)',
  foreign:
    'holds a private key in a format that is not used here; convert it to OpenSSH\'s (ssh-keygen -p -N "" -f FILE)',
  none: 'holds no private key; put there what ssh-keygen writes, and not the .pub file',
};

async function readBounded(handle: FileHandle): Promise<Buffer | undefined> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  return undefined;
}

/** Undefined for what is not below DATA/identities by its very name. */
function pathBelow(dataDir: string, path: string): string | undefined {
  if (hasControlCharacters(path) || path.split('/').includes('..')) return undefined;
  const below = normalize(isAbsolute(path) ? relative(identitiesFolder(absolute(dataDir)), path) : path);
  const isOutside = below === '.' || below.startsWith('..') || isAbsolute(below) || below.endsWith(sep);
  return isOutside || below.startsWith('~') ? undefined : below;
}

const absolute = (path: string) => (isAbsolute(path) ? path : join(process.cwd(), path));
