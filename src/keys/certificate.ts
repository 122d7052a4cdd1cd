/** OpenSSH certificates (PROTOCOL.certkeys), read exactly: every length, order and name, and nothing after. */
import { isGatewayError } from '../errors.ts';
import { BlobReader, MalformedBlob } from './blob-reader.ts';
import { type CertificateOptions, readOptions, readPrincipals, readText } from './certificate-fields.ts';
import type { PublicKey } from './key-types.ts';
import { parsePublicKeyBlob } from './parse-public-key.ts';
import { verifySignature } from './verify-signature.ts';

export interface Certificate {
  /** `ssh-ed25519-cert-v01@openssh.com`, … */
  readonly type: string;
  readonly kind: 'user' | 'host';
  /** The key that is certified: it signs, the certificate says for whom. */
  readonly key: PublicKey;
  readonly serial: bigint;
  /** What the authority calls it; free text, for logs and revocation. */
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970; valid from `validAfter` on and before `validBefore`. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: CertificateOptions;
  readonly extensions: CertificateOptions;
  readonly authority: PublicKey;
  readonly signature: NamedSignature;
  /** What the authority has signed: all but the signature. */
  readonly signed: Buffer;
}

/** The signature blob of RFC 4253 §6.6. */
export interface NamedSignature {
  readonly algorithm: string;
  readonly blob: Buffer;
}

/** `validBefore` of a certificate that does not expire. */
export const forever = 0xffff_ffff_ffff_ffffn;

/** Far more than 256 principals of ordinary length and the largest keys need. */
const maxBlobBytes = 32 * 1024;

interface Format {
  /** The type of the certified key, as its own blob says it. */
  readonly keyType: string;
  /** How many `string`s of the certificate are the key's. */
  readonly keyFields: number;
}

const suffix = '-cert-v01@openssh.com';

/** `sk-ssh-ed25519@openssh.com` becomes `sk-ssh-ed25519-cert-v01@openssh.com`. */
const certifiedName = (plain: string): string => `${plain.replace('@openssh.com', '')}${suffix}`;

const formats: ReadonlyMap<string, Format> = new Map(
  Object.entries({
    'ssh-ed25519': 1,
    'ssh-rsa': 2,
    'ecdsa-sha2-nistp256': 2,
    'ecdsa-sha2-nistp384': 2,
    'ecdsa-sha2-nistp521': 2,
    'sk-ssh-ed25519@openssh.com': 2,
    'sk-ecdsa-sha2-nistp256@openssh.com': 3,
  }).map(([keyType, keyFields]) => [certifiedName(keyType), { keyType, keyFields }]),
);

/** SHA-1 (`ssh-rsa-cert-v01@openssh.com` as an algorithm) is not among them. */
const plainAlgorithms: ReadonlyMap<string, string> = new Map(
  [...[...formats.values()].map(({ keyType }) => keyType), 'rsa-sha2-256', 'rsa-sha2-512']
    .filter((name) => name !== 'ssh-rsa')
    .map((name) => [certifiedName(name), name]),
);

/**
 * The signature algorithm behind the name of a certificate's: `rsa-sha2-512-cert-v01@openssh.com` means
 * rsa-sha2-512. Undefined for what is none.
 */
export const plainAlgorithm = (algorithm: string): string | undefined => plainAlgorithms.get(algorithm);

/** Whether a blob says of itself that it is a certificate, sound or not. */
export function isCertificateBlob(blob: Buffer): boolean {
  return /-cert-v\d\d@openssh\.com$/.test(typeOf(blob) ?? '');
}

const typeOf = (blob: Buffer): string | undefined => {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE();
  return length > 64 || length > blob.length - 4 ? undefined : blob.toString('latin1', 4, 4 + length);
};

/** Throws MalformedBlob, and nothing else, for whatever is no sound certificate. Who signed it is not asked here. */
export function parseCertificate(blob: Buffer): Certificate {
  if (blob.length > maxBlobBytes) throw new MalformedBlob('it is too long');
  const type = typeOf(blob) ?? '';
  const format = formats.get(type);
  if (!format) throw new MalformedBlob('it is a certificate of a type that is not known here');
  const reader = new BlobReader(blob);
  reader.bytes();
  reader.bytes(); // The nonce is there only to make what is signed unpredictable.
  const key = readKey(reader, blob, format);
  const serial = reader.uint64();
  const kind = kindOf(reader.uint32());
  const keyId = readText(reader.bytes(), 'its key id');
  const principals = readPrincipals(reader.bytes());
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  if (validBefore <= validAfter) throw new MalformedBlob('its validity ends before it begins');
  const criticalOptions = readOptions(reader.bytes());
  const extensions = readOptions(reader.bytes());
  reader.bytes(); // Reserved; PROTOCOL.certkeys has it ignored.
  const authority = parsedKey(reader.bytes());
  const signed = blob.subarray(0, reader.offset);
  const signature = parseSignature(reader.bytes());
  reader.end();
  return {
    type,
    kind,
    key,
    serial,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    extensions,
    authority,
    signature,
    signed,
  };
}

/** Whether the key the certificate names as its authority has really signed it, never with SHA-1. */
export function isSignedByAuthority({ authority, signature, signed }: Certificate): boolean {
  // A security key would have to be touched for every certificate, and what it states be judged: not yet.
  if (authority.type.startsWith('sk-')) return false;
  const { algorithm, blob } = signature;
  return verifySignature({ key: authority, algorithm, signature: blob, data: signed }) !== undefined;
}

/** Throws MalformedBlob. */
export function parseSignature(blob: Buffer): NamedSignature {
  const reader = new BlobReader(blob);
  const algorithm = reader.bytes().toString('latin1');
  reader.bytes();
  reader.end();
  return { algorithm, blob };
}

/** The key's fields stand in the certificate as in its own blob, without the type. */
function readKey(reader: BlobReader, blob: Buffer, { keyType, keyFields }: Format): PublicKey {
  const start = reader.offset;
  for (let field = 0; field < keyFields; field++) reader.bytes();
  const type = Buffer.alloc(4 + keyType.length);
  type.writeUInt32BE(keyType.length);
  type.write(keyType, 4, 'latin1');
  return parsedKey(Buffer.concat([type, blob.subarray(start, reader.offset)]));
}

/** Refuses a certificate in the place of a key: there are no chains. */
function parsedKey(blob: Buffer): PublicKey {
  try {
    return parsePublicKeyBlob(blob);
  } catch (error) {
    if (isGatewayError(error)) throw new MalformedBlob(error.message, { cause: error });
    throw error;
  }
}

function kindOf(type: number): Certificate['kind'] {
  if (type === 1) return 'user';
  if (type === 2) return 'host';
  throw new MalformedBlob('it is neither for a user nor for a host');
}
