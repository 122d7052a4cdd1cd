/** A key blob (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4) decoded in full: lengths exact, nothing after. */
import type { JsonWebKey } from 'node:crypto';
import { GatewayError } from '../errors.ts';

export interface DecodedKey {
  readonly type: string;
  readonly bits: number;
  /** RFC 7517; what node:crypto checks and verifies with. */
  readonly jwk: JsonWebKey;
}

export const invalidKey = (problem: string) => new GatewayError('invalid-key', { problem });

const advice = 'make a new one with "ssh-keygen -t ed25519".';
const cutOff = 'this key is cut off or damaged; copy the whole line of the .pub file.';

type Decoder = (fields: Fields) => Omit<DecodedKey, 'type'>;

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['ssh-ed25519', decodeEd25519],
  ['ssh-rsa', decodeRsa],
  ['ecdsa-sha2-nistp256', (fields) => decodeEcdsa(fields, 'nistp256', 'P-256', 256)],
  ['ecdsa-sha2-nistp384', (fields) => decodeEcdsa(fields, 'nistp384', 'P-384', 384)],
  ['ecdsa-sha2-nistp521', (fields) => decodeEcdsa(fields, 'nistp521', 'P-521', 521)],
]);

const refusedTypes: ReadonlyMap<string, string> = new Map([
  ['ssh-dss', `DSA keys (ssh-dss) are too weak and not accepted; ${advice}`],
  ['sk-ssh-ed25519@openssh.com', `security keys (sk-…) are not accepted yet; ${advice}`],
  ['sk-ecdsa-sha2-nistp256@openssh.com', `security keys (sk-…) are not accepted yet; ${advice}`],
]);

/** Throws invalid-key. */
export function decodeKeyBlob(blob: Buffer): DecodedKey {
  const fields = new Fields(blob);
  const type = fields.next().toString('latin1');
  const decode = decoders.get(type);
  if (!decode) throw invalidKey(refusedTypes.get(type) ?? `this type of key is not accepted; ${advice}`);
  const decoded = { type, ...decode(fields) };
  if (fields.remaining > 0) throw invalidKey(cutOff);
  return decoded;
}

class Fields {
  readonly #blob: Buffer;
  #offset = 0;

  constructor(blob: Buffer) {
    this.#blob = blob;
  }

  get remaining(): number {
    return this.#blob.length - this.#offset;
  }

  next(): Buffer {
    if (this.remaining < 4) throw invalidKey(cutOff);
    const start = this.#offset + 4;
    const end = start + this.#blob.readUInt32BE(this.#offset);
    if (end > this.#blob.length) throw invalidKey(cutOff);
    this.#offset = end;
    return this.#blob.subarray(start, end);
  }

  /** A positive mpint in its one canonical form, RFC 4251 §5, without the sign byte. */
  nextPositiveInteger(): Buffer {
    const bytes = this.next();
    const [first = 0x80, second = 0] = bytes;
    if (first >= 0x80 || (first === 0 && (bytes.length === 1 || second < 0x80))) throw invalidKey(cutOff);
    return first === 0 ? bytes.subarray(1) : bytes;
  }
}

function decodeEd25519(fields: Fields) {
  const point = fields.next();
  if (point.length !== 32) throw invalidKey(cutOff);
  return { bits: 256, jwk: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') } };
}

function decodeEcdsa(fields: Fields, name: string, crv: string, bits: number) {
  const curve = fields.next().toString('latin1');
  const point = fields.next();
  const size = Math.ceil(bits / 8);
  // SEC 1 §2.3.3, uncompressed: the only form RFC 5656 implementations write.
  if (curve !== name || point.length !== 1 + 2 * size || point[0] !== 4) throw invalidKey(cutOff);
  const x = point.subarray(1, 1 + size).toString('base64url');
  return { bits, jwk: { kty: 'EC', crv, x, y: point.subarray(1 + size).toString('base64url') } };
}

function decodeRsa(fields: Fields) {
  const exponent = fields.nextPositiveInteger();
  const modulus = fields.nextPositiveInteger();
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] as number) - 24);
  if (bits < 2048) {
    throw invalidKey(`this RSA key has ${bits} bits, and fewer than 2048 are too weak; ${advice}`);
  }
  const odd = (bytes: Buffer) => ((bytes.at(-1) as number) & 1) === 1;
  const isOne = exponent.length === 1 && exponent[0] === 1;
  if (bits > 16_384 || exponent.length > 8 || isOne || !odd(exponent) || !odd(modulus)) {
    throw invalidKey(`this RSA key has unusual numbers in it and is not accepted; ${advice}`);
  }
  return { bits, jwk: { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') } };
}
