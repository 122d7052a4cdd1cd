/** Curve25519 keys for node:crypto out of raw bytes, and out of ed25519 keys. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** PKCS #8 and SubjectPublicKeyInfo of RFC 8410, up to the 32 bytes of the key. */
const privatePrefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex');

export const x25519PrivateKey = (raw: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([privatePrefix, raw]), format: 'der', type: 'pkcs8' });

export const x25519PublicKey = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicPrefix, raw]), format: 'der', type: 'spki' });

/** RFC 8032 §5.1.5: the scalar of an ed25519 key is the first half of its seed's SHA-512; X25519 clamps it. */
export const scalarOf = (seed: Buffer): Buffer => createHash('sha512').update(seed).digest().subarray(0, 32);

const prime = 2n ** 255n - 19n;
const mod = (number: bigint) => ((number % prime) + prime) % prime;

/** RFC 7748 §4.1: u = (1 + y) / (1 - y), of the y that an ed25519 public key (RFC 8032 §5.1.2) holds. */
export function montgomeryOf(point: Buffer): Buffer {
  const bytes = Buffer.from(point).reverse();
  bytes[0] = (bytes[0] as number) & 0x7f;
  const y = BigInt(`0x${bytes.toString('hex')}`);
  const u = mod((1n + y) * inverse(mod(1n - y)));
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** By Fermat. A public key is no secret, so that this takes as long as it takes does not matter. */
function inverse(number: bigint): bigint {
  let result = 1n;
  let power = number;
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * power);
    power = mod(power * power);
  }
  return result;
}
