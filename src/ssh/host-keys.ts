/** The gateway's own keys: made on the first start, kept for ever after. */
import { createHash } from 'node:crypto';
import { chmod, link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { randomId } from '../platform/ids.ts';
import { isThere } from '../platform/is-there.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { systemReason } from '../platform/system-reason.ts';
import { type HostCertificate, loadHostCertificate } from './host-certificates.ts';

const { utils } = ssh2;

export interface HostKey {
  /** OpenSSH private key file. */
  readonly privateKey: Buffer;
  /** `TYPE BASE64`. */
  readonly publicKey: string;
  readonly type: string;
  /** `SHA256:…`. */
  readonly fingerprint: string;
  /** From `NAME-cert.pub` beside it. */
  readonly certificate?: HostCertificate;
}

/** Names as sshd(8) has them, best first. */
export const hostKeyFiles = [
  { name: 'ssh_host_ed25519_key', make: makeEd25519 },
  {
    name: 'ssh_host_rsa_key',
    make: () => utils.generateKeyPairSync('rsa', { bits: 3072, comment: 'postern' }),
  },
] as const;

/** One in 256 of the pairs that ssh2 writes lacks a leading zero byte and can be read by nobody: those are made again. */
export function makeEd25519(generate = () => utils.generateKeyPairSync('ed25519', { comment: 'postern' })) {
  for (;;) {
    const pair = generate();
    const publicKey = Buffer.from(pair.public.split(' ')[1] as string, 'base64');
    const body = Buffer.from(pair.private.replace(/-----.*-----/g, ''), 'base64');
    // PROTOCOL.key: the public key, then a private part of 64 bytes.
    const whole = Buffer.concat([publicKey, Buffer.from([0, 0, 0, 64])]);
    if (publicKey.length === 51 && body.includes(whole)) return pair;
  }
}

/**
 * Loads the host keys of `folder`, making those that are missing (private 0600, public beside it).
 * Throws a sentence for a folder that cannot be made, a file that others may read or that is no private key, and for a
 * certificate that is not its.
 */
export async function loadHostKeys(folder: string): Promise<readonly HostKey[]> {
  await makeFolder(folder).catch((cause: NodeJS.ErrnoException) => {
    const problem = `the folder of host keys ${folder} cannot be made (${systemReason(cause)}); name another with --hostkeys DIR.`;
    throw new Error(problem, { cause });
  });
  const keys: HostKey[] = [];
  for (const { name, make } of hostKeyFiles) {
    const path = join(folder, name);
    if (!(await isThere(path))) await makeHostKey(path, make);
    keys.push(await loadHostKey(path));
  }
  return keys;
}

/** Makes a key at `path` unless somebody else just did; private 0600, public beside it. */
export async function makeHostKey(
  path: string,
  make: () => { private: string; public: string },
): Promise<void> {
  const pair = make();
  // A hard link, not a rename: of two gateways that start at once, one makes the key and both use it.
  const temporary = `${path}.${randomId(8)}.tmp`;
  await writeDurably(temporary, pair.private, 0o600);
  try {
    await link(temporary, path);
    await writeDurably(`${path}.pub`, `${pair.public}\n`, 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(temporary);
  }
}

async function writeDurably(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    await file.writeFile(content);
    await chmod(path, mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Undefined for what is no private key, or has a passphrase. */
export function parseHostKey(privateKey: Buffer): ssh2.ParsedKey | undefined {
  const parsed = utils.parseKey(privateKey);
  return parsed instanceof Error || !parsed.isPrivateKey() ? undefined : parsed;
}

/** Throws a sentence for a file that others may read or that is no private key. */
export async function loadHostKey(path: string): Promise<HostKey> {
  const { mode } = await stat(path);
  if (mode & 0o077) {
    throw new Error(
      `the host key ${path} may be read by others; make it yours alone with "chmod 600 ${path}".`,
    );
  }
  const privateKey = await readFile(path);
  const parsed = parseHostKey(privateKey);
  if (!parsed) {
    throw new Error(
      `${path} is not a private key that can be read without a passphrase; remove it to have one made.`,
    );
  }
  const blob = parsed.getPublicSSH();
  const certificate = await loadHostCertificate(`${path}-cert.pub`, blob);
  return {
    privateKey,
    ...(certificate ? { certificate } : {}),
    type: parsed.type,
    publicKey: `${parsed.type} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
  };
}
