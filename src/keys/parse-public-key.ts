/** From a blob or a `TYPE BASE64 [COMMENT]` line to a PublicKey. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeKeyBlob, invalidKey } from './decode-key-blob.ts';
import type { PublicKey } from './key-types.ts';

/** `SHA256:…` exactly as ssh-keygen -l prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** MD5 as colon hex, as ssh-keygen -l -E md5 prints it, without the `MD5:` in front. */
export function fingerprintMd5(blob: Buffer): string {
  return createHash('md5')
    .update(blob)
    .digest('hex')
    .replace(/(..)(?=.)/g, '$1:');
}

/** Throws invalid-key; node:crypto has checked by then that points are on their curve. */
export function parsePublicKeyBlob(blob: Buffer): PublicKey {
  const { type, bits } = decodeKeyBlob(blob);
  toKeyObject(blob);
  return { type, bits, blob, line: `${type} ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) };
}

/** The key of a line without options. Throws invalid-key. */
export function parsePublicKey(line: string): PublicKey {
  const [type = '', base64 = ''] = line.trim().split(/[ \t]+/, 2);
  const blob = Buffer.from(base64, 'base64');
  if (
    !/^[A-Za-z0-9+/]+={0,2}$/.test(base64) ||
    blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')
  ) {
    throw invalidKey('this is no public key; it is one line, like "ssh-ed25519 AAAA… name".');
  }
  const key = parsePublicKeyBlob(blob);
  if (key.type !== type) throw invalidKey('the type in front of this key is not the type inside it.');
  return key;
}

const keyObjects = new Map<string, KeyObject>();
const maxKeyObjects = 1_000;

/** The node:crypto key of a blob; the last thousand are kept. Throws invalid-key for a point off its curve. */
export function toKeyObject(blob: Buffer): KeyObject {
  const id = blob.toString('base64');
  const kept = keyObjects.get(id);
  if (kept) return kept;
  let made: KeyObject;
  try {
    made = createPublicKey({ key: decodeKeyBlob(blob).jwk, format: 'jwk' });
  } catch (error) {
    if ((error as Error).name === 'GatewayError') throw error;
    throw invalidKey('this key is damaged: its numbers are no key.');
  }
  if (keyObjects.size >= maxKeyObjects) keyObjects.delete(keyObjects.keys().next().value as string);
  keyObjects.set(id, made);
  return made;
}
