/** Signatures over files, as `ssh-keygen -Y sign` makes them: OpenSSH's PROTOCOL.sshsig. */
import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import { BlobReader, MalformedBlob } from '../keys/blob-reader.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { parsePublicKeyBlob } from '../keys/parse-public-key.ts';
import { type VerifiedSignature, verifySignature } from '../keys/verify-signature.ts';
import { MalformedToken } from './malformed-token.ts';

const magic = Buffer.from('SSHSIG');
const version = 1;
const hashes: ReadonlySet<string> = new Set(['sha256', 'sha512']);

export interface Sshsig {
  readonly key: PublicKey;
  readonly namespace: string;
  readonly reserved: Buffer;
  readonly hash: string;
  /** RFC 4253 §6.6, with what PROTOCOL.u2f adds. */
  readonly signature: Buffer;
}

/** A whole blob, without the armor. Throws MalformedToken; a certificate is none of the keys it takes. */
export function parseSshsig(blob: Buffer): Sshsig {
  try {
    return readSshsig(blob);
  } catch (error) {
    if (error instanceof MalformedBlob) throw new MalformedToken(`its signature is broken: ${error.message}`);
    if (error instanceof GatewayError) throw new MalformedToken(`its key is not accepted: ${error.message}`);
    throw error;
  }
}

function readSshsig(blob: Buffer): Sshsig {
  if (!blob.subarray(0, magic.length).equals(magic)) {
    throw new MalformedToken('its signature is none of ssh-keygen -Y sign');
  }
  const reader = new BlobReader(blob.subarray(magic.length));
  if (reader.uint32() !== version) throw new MalformedToken('its signature is of an unknown version');
  const key = parsePublicKeyBlob(reader.bytes());
  const namespace = reader.bytes();
  const reserved = reader.bytes();
  const hash = reader.bytes().toString('latin1');
  const signature = reader.bytes();
  reader.end();
  if (!hashes.has(hash)) throw new MalformedToken('its signature uses a hash that is not accepted');
  return { key, namespace: namespace.toString('latin1'), reserved, hash, signature };
}

/** Undefined when the key inside did not sign `message` for the namespace inside. */
export function verifySshsig(sshsig: Sshsig, message: Buffer): VerifiedSignature | undefined {
  const { key, signature } = sshsig;
  const algorithm = algorithmIn(signature);
  if (algorithm === undefined) return undefined;
  return verifySignature({ key, algorithm, signature, data: signedData(sshsig, message) });
}

/** What is signed in place of `message`. */
export function signedData(
  { namespace, reserved, hash }: Pick<Sshsig, 'namespace' | 'reserved' | 'hash'>,
  message: Buffer,
): Buffer {
  const digest = createHash(hash).update(message).digest();
  const fields = [Buffer.from(namespace, 'latin1'), reserved, Buffer.from(hash), digest];
  return Buffer.concat([magic, ...fields.map(sshString)]);
}

/** The blob that `parseSshsig` reads. */
export function formatSshsig({
  publicKey,
  namespace,
  hash,
  signature,
}: {
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly hash: string;
  readonly signature: Buffer;
}): Buffer {
  const fields = [publicKey, Buffer.from(namespace, 'latin1'), Buffer.alloc(0), Buffer.from(hash), signature];
  const versionField = Buffer.alloc(4);
  versionField.writeUInt32BE(version);
  return Buffer.concat([magic, versionField, ...fields.map(sshString)]);
}

/** RFC 4251 §5 `string`. */
export function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function algorithmIn(signature: Buffer): string | undefined {
  try {
    return new BlobReader(signature).bytes().toString('latin1');
  } catch (error) {
    if (error instanceof MalformedBlob) return undefined;
    throw error;
  }
}
