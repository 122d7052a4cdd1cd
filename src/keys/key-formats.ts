/** Per key type: how its blob goes on after the type, and the same key as a JWK (RFC 7517). */
import type { JsonWebKey } from 'node:crypto';
import { type BlobReader, bitLength, MalformedBlob } from './blob-reader.ts';
import { isSmallOrder } from './small-order.ts';

export interface DecodedKey {
  readonly bits: number;
  readonly jwk: JsonWebKey;
  /** Of a security key: the relying party it signs for, as a rule `ssh:`. */
  readonly application?: string;
}

export type KeyFormat = (reader: BlobReader) => DecodedKey;

/** RFC 8709 §4. */
const ed25519: KeyFormat = (reader) => {
  const point = reader.bytes();
  if (point.length !== 32) throw new MalformedBlob('an ed25519 key has 32 bytes');
  // Anybody can make a signature that fits such a key.
  if (isSmallOrder(point)) throw new MalformedBlob('it is a weak key that protects nothing');
  return { bits: 256, jwk: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') } };
};

/** RFC 5656 §3.1, points uncompressed as OpenSSH writes them. Whether a point is on its curve, OpenSSL checks. */
const ecdsa =
  (identifier: string, curve: string, fieldBytes: number, bits: number): KeyFormat =>
  (reader) => {
    if (!reader.bytes().equals(Buffer.from(identifier))) throw new MalformedBlob('its curve is another one');
    const point = reader.bytes();
    if (point.length !== 1 + 2 * fieldBytes || point[0] !== 4) {
      throw new MalformedBlob('its point is not in the uncompressed form');
    }
    const x = point.subarray(1, 1 + fieldBytes).toString('base64url');
    const y = point.subarray(1 + fieldBytes).toString('base64url');
    return { bits, jwk: { kty: 'EC', crv: curve, x, y } };
  };

/**
 * A security key (OpenSSH's PROTOCOL.u2f): the key it is made of, then the application. That stands
 * in what is signed, so it must be exactly what it was; it is printed, so it must be printable.
 */
const onSecurityKey =
  (format: KeyFormat): KeyFormat =>
  (reader) => {
    const decoded = format(reader);
    const application = reader.bytes().toString('latin1');
    if (!/^[\x20-\x7e]{1,255}$/.test(application)) {
      throw new MalformedBlob('its application is not 1 to 255 printable ASCII characters');
    }
    return { ...decoded, application };
  };

export const minRsaBits = 2048;
const maxRsaBits = 16384;

/** Too short to be safe; the sentence differs from that of a broken key. */
export class ShortKey extends Error {
  override readonly name = 'ShortKey';
  readonly bits: number;

  constructor(bits: number) {
    super(`${bits} bits`);
    this.bits = bits;
  }
}

/** RFC 4253 §6.6. */
const rsa: KeyFormat = (reader) => {
  const exponent = reader.positiveInteger();
  const modulus = reader.positiveInteger();
  const bits = bitLength(modulus);
  if (bits < minRsaBits) throw new ShortKey(bits);
  if (bits > maxRsaBits) throw new MalformedBlob(`an RSA key may have ${maxRsaBits} bits`);
  if (!isOdd(modulus)) throw new MalformedBlob('its modulus is even');
  // A huge exponent would make each verification slow.
  const exponentBits = bitLength(exponent);
  if (!isOdd(exponent) || exponentBits < 2 || exponentBits > 64) {
    throw new MalformedBlob('its exponent is not an odd number from 3 to 64 bits');
  }
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') };
  return { bits, jwk };
};

const isOdd = (number: Buffer) => ((number.at(-1) ?? 0) & 1) === 1;

const nistp256 = ecdsa('nistp256', 'P-256', 32, 256);

export const keyFormats: ReadonlyMap<string, KeyFormat> = new Map([
  ['ssh-ed25519', ed25519],
  ['sk-ssh-ed25519@openssh.com', onSecurityKey(ed25519)],
  ['ecdsa-sha2-nistp256', nistp256],
  ['sk-ecdsa-sha2-nistp256@openssh.com', onSecurityKey(nistp256)],
  ['ecdsa-sha2-nistp384', ecdsa('nistp384', 'P-384', 48, 384)],
  ['ecdsa-sha2-nistp521', ecdsa('nistp521', 'P-521', 66, 521)],
  ['ssh-rsa', rsa],
]);
