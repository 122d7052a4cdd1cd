/** Signature verification with node:crypto; the same for logins and, later, for tokens. */
import { type KeyObject, verify } from 'node:crypto';
import type { PublicKey } from './key-types.ts';
import { toKeyObject } from './parse-public-key.ts';

export interface SignatureToVerify {
  readonly key: PublicKey;
  /** `ssh-ed25519`, `rsa-sha2-512`, …: must fit the key. */
  readonly algorithm: string;
  /** What follows the algorithm's name in the signature, RFC 4253 §6.6. */
  readonly signature: Buffer;
  /** For ecdsa: `ssh` is r and s as mpints (RFC 5656 §3.1.2), `asn1` is DER. */
  readonly encoding: 'ssh' | 'asn1';
  readonly data: Buffer;
}

/** Algorithm on the wire → key type it fits, and its hash. SHA-1 is not among them. */
const algorithms: ReadonlyMap<string, readonly [keyType: string, hash: string | null]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519', null]],
  ['rsa-sha2-256', ['ssh-rsa', 'sha256']],
  ['rsa-sha2-512', ['ssh-rsa', 'sha512']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256', 'sha256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384', 'sha384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521', 'sha512']],
]);

/** Never throws: what is malformed is not valid. */
export function verifySignature({ key, algorithm, signature, encoding, data }: SignatureToVerify): boolean {
  const [keyType, hash] = algorithms.get(algorithm) ?? [];
  if (keyType !== key.type || hash === undefined) return false;
  try {
    const publicKey = toKeyObject(key.blob);
    if (publicKey.asymmetricKeyType === 'ec' && encoding === 'ssh') {
      return verify(
        hash,
        data,
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        toFixedLength(signature, publicKey),
      );
    }
    return verify(hash, data, publicKey, signature);
  } catch {
    return false;
  }
}

const sizes: Record<string, number> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

/** Two mpints to r ‖ s of the curve's size. Throws when they are no such thing. */
function toFixedLength(signature: Buffer, key: KeyObject): Buffer {
  const size = sizes[key.asymmetricKeyDetails?.namedCurve ?? ''] as number;
  const fixed = Buffer.alloc(2 * size);
  let offset = 0;
  for (const end of [size, 2 * size]) {
    const length = signature.readUInt32BE(offset);
    let number = signature.subarray(offset + 4, offset + 4 + length);
    if (number.length !== length) throw new Error('cut off');
    offset += 4 + length;
    if (number[0] === 0) number = number.subarray(1);
    if (number.length > size) throw new Error('too long');
    fixed.set(number, end - number.length);
  }
  if (offset !== signature.length) throw new Error('something after it');
  return fixed;
}
