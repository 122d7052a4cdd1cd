/** exe0 tokens put together by hand: sound, or wrong wherever a test wants it. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { uint32 } from './certificate-blobs.ts';
import { field, mpint } from './keys.ts';
import { makeSecurityKey, type SigningTerms } from './security-key.ts';

export const domain = 'gateway.example';
export const commandsNamespace = `v0@${domain}`;

export interface TokenSigner {
  readonly blob: Buffer;
  readonly privateKey?: KeyObject;
  /** The whole signature blob of RFC 4253 §6.6. */
  readonly sign: (data: Buffer) => Buffer;
}

export interface TokenTerms {
  readonly permissions: string | Buffer;
  readonly signer: TokenSigner;
  readonly namespace: string | Buffer;
  readonly reserved: string | Buffer;
  readonly hash: string;
  /** The hash that is really used, when it is not the one that is named. */
  readonly usedHash?: string;
  readonly magic: string;
  readonly version: number;
  /** The key inside, when it is not the signer's. */
  readonly key?: Buffer;
  /** The fields of the blob, in order, after they were signed. */
  readonly fields?: (fields: SshsigFields) => SshsigFields;
  /** The last word on the blob, the payload and the whole. */
  readonly blob?: (blob: Buffer) => Buffer;
  readonly payload?: (payload: Buffer) => Buffer;
  readonly token?: (token: string) => string;
}

export interface SshsigFields {
  readonly key: Buffer;
  readonly namespace: Buffer;
  readonly reserved: Buffer;
  readonly hash: Buffer;
  readonly signature: Buffer;
}

/** Signed by `signer`, and sound but for what `terms` says. */
export function forgeToken(signer: TokenSigner, terms: Partial<TokenTerms> = {}): string {
  const whole = {
    permissions: '{}',
    signer,
    namespace: commandsNamespace,
    reserved: '',
    hash: 'sha512',
    magic: 'SSHSIG',
    version: 1,
    ...terms,
  };
  const payload = Buffer.from(whole.permissions);
  const blob = sshsigOf(whole, payload);
  const { payload: changePayload = same, blob: changeBlob = same, token: changeToken = same } = whole;
  const parts = [changePayload(payload), changeBlob(blob)].map((bytes) => bytes.toString('base64url'));
  return changeToken(['exe0', ...parts].join('.'));
}

const same = <Value>(value: Value) => value;

function sshsigOf(terms: TokenTerms, payload: Buffer): Buffer {
  const { signer, namespace, reserved, hash, magic, version, fields: change = same } = terms;
  const digest = createHash(terms.usedHash ?? hash)
    .update(payload)
    .digest();
  const data = Buffer.concat([
    Buffer.from('SSHSIG'),
    ...[namespace, reserved, hash, digest].map((each) => field(each)),
  ]);
  const fields = change({
    key: terms.key ?? terms.signer.blob,
    namespace: Buffer.from(namespace),
    reserved: Buffer.from(reserved),
    hash: Buffer.from(hash),
    signature: signer.sign(data),
  });
  const { key, signature } = fields;
  return Buffer.concat([
    Buffer.from(magic),
    uint32(version),
    ...[key, fields.namespace, fields.reserved, fields.hash, signature].map((each) => field(each)),
  ]);
}

const part = (key: KeyObject, name: 'x' | 'y' | 'n' | 'e') =>
  Buffer.from(key.export({ format: 'jwk' })[name] as string, 'base64url');

export function ed25519Signer(): TokenSigner & { readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    blob: Buffer.concat([field('ssh-ed25519'), field(part(publicKey, 'x'))]),
    privateKey,
    sign: (data) => named('ssh-ed25519', sign(null, data, privateKey)),
  };
}

/** A signature blob: the algorithm and what it made. */
export const named = (algorithm: string, signature: Buffer): Buffer =>
  Buffer.concat([field(algorithm), field(signature)]);

const curves = { 256: ['P-256', 'sha256'], 384: ['P-384', 'sha384'], 521: ['P-521', 'sha512'] } as const;

export interface EcdsaSigner extends TokenSigner {
  /** r and s, big-endian, of full length. */
  readonly numbers: (data: Buffer) => readonly [Buffer, Buffer];
  readonly algorithm: string;
}

export function ecdsaSigner(bits: 256 | 384 | 521): EcdsaSigner {
  const [namedCurve, hash] = curves[bits];
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const algorithm = `ecdsa-sha2-nistp${bits}`;
  const point = Buffer.concat([Buffer.from([4]), part(publicKey, 'x'), part(publicKey, 'y')]);
  const numbers = (data: Buffer) => {
    const both = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return [both.subarray(0, both.length / 2), both.subarray(both.length / 2)] as const;
  };
  return {
    blob: Buffer.concat([field(algorithm), field(`nistp${bits}`), field(point)]),
    privateKey,
    algorithm,
    numbers,
    sign: (data) => named(algorithm, Buffer.concat(numbers(data).map(mpint))),
  };
}

export interface RsaSigner extends TokenSigner {
  readonly privateKey: KeyObject;
  /** With this hash, whatever the signature is then called. */
  readonly signWith: (hash: string, algorithm: string) => (data: Buffer) => Buffer;
}

export function rsaSigner(modulusLength = 2048): RsaSigner {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const signWith = (hash: string, algorithm: string) => (data: Buffer) =>
    named(algorithm, sign(hash, data, privateKey));
  return {
    blob: Buffer.concat([field('ssh-rsa'), mpint(part(publicKey, 'e')), mpint(part(publicKey, 'n'))]),
    privateKey,
    signWith,
    sign: signWith('sha512', 'rsa-sha2-512'),
  };
}

export function securityKeySigner(kind: 'ed25519' | 'ecdsa', terms?: SigningTerms): TokenSigner {
  const key = makeSecurityKey(kind);
  return { blob: key.blob, sign: (data) => key.sign(data, terms) };
}
