/** Whether a key signed something. OpenSSL does the arithmetic; the forms are read here. */
import { verify } from 'node:crypto';
import { BlobReader, bitLength } from './blob-reader.ts';
import type { PublicKey } from './key-types.ts';
import { keyObjectOf } from './parse-public-key.ts';

export interface SignatureToVerify {
  readonly key: PublicKey;
  /** The signature algorithm's name: `ssh-ed25519`, `rsa-sha2-512`, … */
  readonly algorithm: string;
  /** What follows the algorithm's name in the signature blob of RFC 4253 §6.6, or, `asn1`, DER for ecdsa. */
  readonly signature: Buffer;
  readonly encoding: 'ssh' | 'asn1';
  readonly data: Buffer;
}

interface Algorithm {
  readonly keyType: string;
  readonly hash: string | null;
  /** The signature as OpenSSL takes it; undefined when it is malformed. */
  readonly form: (signature: Buffer, key: PublicKey, encoding: 'ssh' | 'asn1') => Buffer | undefined;
}

/** RFC 8709 §6. */
const ed25519Form: Algorithm['form'] = (signature) => (signature.length === 64 ? signature : undefined);

/** RFC 8332 §3. Some signers leave out leading zero bytes. */
const rsaForm: Algorithm['form'] = (signature, { bits }) => {
  const length = Math.ceil(bits / 8);
  if (signature.length === 0 || signature.length > length) return undefined;
  return Buffer.concat([Buffer.alloc(length - signature.length), signature]);
};

/** RFC 5656 §3.1.2: mpint r, mpint s; to r and s side by side. */
const ecdsaForm: Algorithm['form'] = (signature, { bits }, encoding) => {
  if (encoding === 'asn1') return signature;
  const reader = new BlobReader(signature);
  const numbers = [reader.positiveInteger(), reader.positiveInteger()];
  reader.end();
  if (numbers.some((number) => bitLength(number) > bits)) return undefined;
  const length = Math.ceil(bits / 8);
  return Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(length - number.length), number]));
};

/** What is absent is refused: SHA-1 with RSA above all (RFC 8332 §1). */
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['ssh-ed25519', { keyType: 'ssh-ed25519', hash: null, form: ed25519Form }],
  ['rsa-sha2-256', { keyType: 'ssh-rsa', hash: 'sha256', form: rsaForm }],
  ['rsa-sha2-512', { keyType: 'ssh-rsa', hash: 'sha512', form: rsaForm }],
  ['ecdsa-sha2-nistp256', { keyType: 'ecdsa-sha2-nistp256', hash: 'sha256', form: ecdsaForm }],
  ['ecdsa-sha2-nistp384', { keyType: 'ecdsa-sha2-nistp384', hash: 'sha384', form: ecdsaForm }],
  ['ecdsa-sha2-nistp521', { keyType: 'ecdsa-sha2-nistp521', hash: 'sha512', form: ecdsaForm }],
]);

/** Never throws: what is malformed, or of an algorithm that does not fit the key, is not a signature. */
export function verifySignature({ key, algorithm, signature, encoding, data }: SignatureToVerify): boolean {
  const known = algorithms.get(algorithm);
  if (!known || known.keyType !== key.type) return false;
  try {
    const formed = known.form(signature, key, encoding);
    if (!formed) return false;
    const dsaEncoding = encoding === 'ssh' ? 'ieee-p1363' : 'der';
    return verify(known.hash, data, { key: keyObjectOf(key), dsaEncoding }, formed) === true;
  } catch {
    return false;
  }
}
