/** Public keys decoded in full: type, lengths, numbers, curve points, and nothing after the end. */
import { createHash, type KeyObject } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { BlobReader, MalformedBlob } from './blob-reader.ts';
import { type DecodedKey, keyFormats, minRsaBits, ShortKey } from './key-formats.ts';
import { keyObject } from './key-objects.ts';
import type { PublicKey } from './key-types.ts';

/** Longer than the longest key there is: 16384-bit RSA. */
const maxBlobBytes = 4096;

/** `SHA256:…` without padding, as `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Colon hex, as `ssh-keygen -l -E md5` prints it, without the `MD5:` in front. */
export function fingerprintMd5(blob: Buffer): string {
  return createHash('md5')
    .update(blob)
    .digest('hex')
    .replace(/..(?=.)/g, '$&:');
}

/** The key in a blob (RFC 4253 §6.6). Throws invalid-key. */
export function parsePublicKeyBlob(blob: Buffer): PublicKey {
  if (blob.length > maxBlobBytes) throw invalid('this is no public key: it is too long');
  const { type, bits, jwk, application } = decode(blob);
  const line = `${type} ${blob.toString('base64')}`;
  try {
    keyObject(line, () => jwk);
  } catch {
    throw invalid(`this ${type} key is broken: its point is not on the curve`);
  }
  const key = { type, blob, line, fingerprint: fingerprintOf(blob), bits };
  return application === undefined ? key : { ...key, application };
}

/** A key that `parsePublicKeyBlob` let pass, as node:crypto takes it. */
export function keyObjectOf({ line, blob }: PublicKey): KeyObject {
  return keyObject(line, () => decode(blob).jwk);
}

/** A key from its type word and base64. Throws invalid-key when they do not belong together. */
export function parseTypeAndBase64(word: string, base64: string): PublicKey {
  refuseUnusable(word);
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) {
    throw invalid(`this ${excerpt(word)} key is broken: its base64 is damaged or incomplete`);
  }
  const inside = typeInside(blob);
  if (inside !== undefined && inside !== word && /^[a-z0-9@.-]{1,64}$/.test(inside)) {
    throw invalid(`this key says that it is ${excerpt(word)}, but it is ${inside} inside`);
  }
  return parsePublicKeyBlob(blob);
}

function typeInside(blob: Buffer): string | undefined {
  try {
    return new BlobReader(blob).bytes().toString('latin1');
  } catch {
    return undefined;
  }
}

function decode(blob: Buffer): DecodedKey & { type: string } {
  const type = typeInside(blob);
  if (type === undefined) throw invalid('this is no public key: it is cut short');
  refuseUnusable(type);
  const format = keyFormats.get(type);
  if (!format)
    throw invalid(`keys of type ${excerpt(type)} are not known here; make one with "${betterKey}"`);
  const reader = new BlobReader(blob);
  try {
    reader.bytes();
    const decoded = format(reader);
    reader.end();
    return { ...decoded, type };
  } catch (error) {
    if (error instanceof ShortKey) {
      throw invalid(
        `this RSA key has ${error.bits} bits, which is too short to be safe (${minRsaBits} are needed); make a new one with "${betterKey}"`,
      );
    }
    if (error instanceof MalformedBlob) throw invalid(`this ${type} key is broken: ${error.message}`);
    throw error;
  }
}

const betterKey = 'ssh-keygen -t ed25519';

function refuseUnusable(type: string): void {
  if (type.includes('-cert-v0')) {
    throw invalid(
      'this is a certificate; send the plain public key, the .pub file without "-cert" in its name',
    );
  }
  if (type === 'ssh-dss') {
    throw invalid(`ssh-dss keys (DSA) are too weak to be safe; make a new one with "${betterKey}"`);
  }
  if (type.startsWith('webauthn-sk-')) {
    throw invalid(
      `keys that sign in a web browser (${excerpt(type)}) are not accepted; make one with "ssh-keygen -t ed25519-sk"`,
    );
  }
}

const invalid = (problem: string) => new GatewayError('invalid-key', { problem: `${problem}.` });
