/** A security key (FIDO) made of software: OpenSSH's PROTOCOL.u2f with whatever flags and counter a test wants. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { field, lineOf, mpint } from './keys.ts';

export const touched = 0x01;
export const verified = 0x04;

export interface SigningTerms {
  readonly flags?: number;
  readonly counter?: number;
  /** What the signature is made for, if not what the key says. */
  readonly application?: string;
}

export interface SecurityKey {
  readonly type: string;
  readonly blob: Buffer;
  /** `TYPE BASE64`. */
  readonly line: string;
  /** The part that goes into the signature's own string: 64 bytes, or mpint r and mpint s. */
  readonly rawSignature: (data: Buffer, terms?: SigningTerms) => Buffer;
  /** The whole signature blob. Touched, and nothing more, unless the terms say otherwise. */
  readonly sign: (data: Buffer, terms?: SigningTerms) => Buffer;
}

export type SecurityKeyKind = 'ed25519' | 'ecdsa';

export function makeSecurityKey(kind: SecurityKeyKind, application = 'ssh:'): SecurityKey {
  const { type, fields, signRaw } = kind === 'ed25519' ? ed25519() : ecdsa();
  const blob = Buffer.concat([field(type), ...fields, field(application)]);
  const rawSignature = (data: Buffer, terms: SigningTerms = {}) =>
    signRaw(Buffer.concat([sha256(terms.application ?? application), statement(terms), sha256(data)]));
  return {
    type,
    blob,
    line: lineOf(type, blob),
    rawSignature,
    sign: (data, terms = {}) => assemble(type, rawSignature(data, terms), statement(terms)),
  };
}

/** A signature blob of these parts, whatever they are. */
export const assemble = (type: string, raw: Buffer, rest: Buffer): Buffer =>
  Buffer.concat([field(type), field(raw), rest]);

/** One byte of flags, four of counter. */
export function statement({ flags = touched, counter = 1 }: SigningTerms): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(flags);
  bytes.writeUInt32BE(counter, 1);
  return bytes;
}

const sha256 = (of: string | Buffer) => createHash('sha256').update(of).digest();

const part = (key: KeyObject, name: 'x' | 'y') =>
  Buffer.from(key.export({ format: 'jwk' })[name] as string, 'base64url');

function ed25519() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    type: 'sk-ssh-ed25519@openssh.com',
    fields: [field(part(publicKey, 'x'))],
    signRaw: (signed: Buffer) => sign(null, signed, privateKey),
  };
}

function ecdsa() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = Buffer.concat([Buffer.from([4]), part(publicKey, 'x'), part(publicKey, 'y')]);
  return {
    type: 'sk-ecdsa-sha2-nistp256@openssh.com',
    fields: [field('nistp256'), field(point)],
    signRaw: (signed: Buffer) => {
      const both = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return Buffer.concat([mpint(both.subarray(0, 32)), mpint(both.subarray(32))]);
    },
  };
}
