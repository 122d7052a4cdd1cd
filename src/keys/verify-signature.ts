/** Whether a key signed something. OpenSSL does the arithmetic; the forms are read here. */
import { createHash, verify } from 'node:crypto';
import { BlobReader, bitLength } from './blob-reader.ts';
import type { PublicKey } from './key-types.ts';
import { keyObjectOf } from './parse-public-key.ts';

export interface SignatureToVerify {
  readonly key: PublicKey;
  /** The algorithm that must have been used: `ssh-ed25519`, `rsa-sha2-512`, … The signature must name it too. */
  readonly algorithm: string;
  /** The whole signature blob, RFC 4253 §6.6, and for security keys what PROTOCOL.u2f adds to it. */
  readonly signature: Buffer;
  readonly data: Buffer;
}

/** A signature that holds. Whoever asked decides whether it is enough. */
export interface VerifiedSignature {
  /** Of a security key (FIDO) only: what it says that it saw. */
  readonly securityKey?: SecurityKeyStatement;
}

/** The signed flags and counter of OpenSSH's PROTOCOL.u2f. */
export interface SecurityKeyStatement {
  /** Somebody touched it. */
  readonly userPresent: boolean;
  /** Somebody proved to it who they are, with a PIN or a finger. */
  readonly userVerified: boolean;
  /** How often it has signed, if it counts. */
  readonly counter: number;
}

interface Algorithm {
  readonly keyType: string;
  readonly hash: string | null;
  /** The signature as OpenSSL takes it; undefined when it is malformed. */
  readonly form: (signature: Buffer, key: PublicKey) => Buffer | undefined;
  readonly onSecurityKey?: true;
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
const ecdsaForm: Algorithm['form'] = (signature, { bits }) => {
  const reader = new BlobReader(signature);
  const numbers = [reader.positiveInteger(), reader.positiveInteger()];
  reader.end();
  if (numbers.some((number) => bitLength(number) > bits)) return undefined;
  const length = Math.ceil(bits / 8);
  return Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(length - number.length), number]));
};

const plain = (keyType: string, hash: string | null, form: Algorithm['form']) => ({ keyType, hash, form });
const onSecurityKey = (keyType: string, hash: string | null, form: Algorithm['form']) => ({
  ...plain(keyType, hash, form),
  onSecurityKey: true as const,
});

/** What is absent is refused: SHA-1 with RSA above all (RFC 8332 §1), and what browsers sign (webauthn-…). */
const algorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['ssh-ed25519', plain('ssh-ed25519', null, ed25519Form)],
  ['rsa-sha2-256', plain('ssh-rsa', 'sha256', rsaForm)],
  ['rsa-sha2-512', plain('ssh-rsa', 'sha512', rsaForm)],
  ['ecdsa-sha2-nistp256', plain('ecdsa-sha2-nistp256', 'sha256', ecdsaForm)],
  ['ecdsa-sha2-nistp384', plain('ecdsa-sha2-nistp384', 'sha384', ecdsaForm)],
  ['ecdsa-sha2-nistp521', plain('ecdsa-sha2-nistp521', 'sha512', ecdsaForm)],
  ['sk-ssh-ed25519@openssh.com', onSecurityKey('sk-ssh-ed25519@openssh.com', null, ed25519Form)],
  [
    'sk-ecdsa-sha2-nistp256@openssh.com',
    onSecurityKey('sk-ecdsa-sha2-nistp256@openssh.com', 'sha256', ecdsaForm),
  ],
]);

/**
 * The one verifier. Undefined when the signature does not hold; never throws: what is malformed, or of an
 * algorithm that does not fit the key, is not a signature. That a security key was touched is for the caller to ask.
 */
export function verifySignature(request: SignatureToVerify): VerifiedSignature | undefined {
  const known = algorithms.get(request.algorithm);
  if (!known || known.keyType !== request.key.type) return undefined;
  try {
    return verifyAs(known, request);
  } catch {
    return undefined;
  }
}

function verifyAs(
  { hash, form, onSecurityKey }: Algorithm,
  { key, algorithm, signature, data }: SignatureToVerify,
): VerifiedSignature | undefined {
  const reader = new BlobReader(signature);
  if (!reader.bytes().equals(Buffer.from(algorithm))) return undefined;
  const formed = form(reader.bytes(), key);
  if (!formed) return undefined;
  const stated = onSecurityKey ? { flags: reader.byte(), counter: reader.uint32() } : undefined;
  reader.end();
  const signed = stated ? signedBySecurityKey(key, stated, data) : data;
  const keyObject = keyObjectOf(key);
  // With options about it, node:crypto first asks by exceptions what it is, at a quarter of the price of ed25519's arithmetic.
  const verifyBy = form === ecdsaForm ? ({ key: keyObject, dsaEncoding: 'ieee-p1363' } as const) : keyObject;
  if (!verify(hash, signed, verifyBy, formed)) return undefined;
  return stated ? { securityKey: securityKeyStatement(stated) } : {};
}

interface Stated {
  readonly flags: number;
  readonly counter: number;
}

/** PROTOCOL.u2f: sha256(application) ‖ flags ‖ counter ‖ sha256(message). */
function signedBySecurityKey({ application }: PublicKey, { flags, counter }: Stated, data: Buffer): Buffer {
  if (application === undefined) throw new Error('a security key without its application');
  const sha256 = (of: string | Buffer) => createHash('sha256').update(of).digest();
  const statement = Buffer.alloc(5);
  statement.writeUInt8(flags);
  statement.writeUInt32BE(counter, 1);
  return Buffer.concat([sha256(Buffer.from(application, 'latin1')), statement, sha256(data)]);
}

const userPresentFlag = 0x01;
const userVerifiedFlag = 0x04;

const securityKeyStatement = ({ flags, counter }: Stated): SecurityKeyStatement => ({
  userPresent: (flags & userPresentFlag) !== 0,
  userVerified: (flags & userVerifiedFlag) !== 0,
  counter,
});
