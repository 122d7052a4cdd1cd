/** Signatures that are nearly right, by keys that are registered. */
import { type KeyObject, sign } from 'node:crypto';
import { field, mpint } from '../keys.ts';
import { statement, touched } from '../security-key.ts';
import { named, securityKeySigner, type TokenSigner } from '../tokens.ts';
import { type BrokenToken, ecdsaSigners, forge, otherSigner, rsa, signer } from './broken-token.ts';

/** By the same key each: the signature in place of the sound one. */
const instead = (
  of: TokenSigner,
  list: readonly (readonly [name: string, sign: (data: Buffer) => Buffer])[],
): BrokenToken[] =>
  list.map(([name, signInstead]) => ({
    name,
    broken: forge({ signer: { blob: of.blob, sign: signInstead } }),
    mended: forge({ signer: of }),
    refused: /does not hold/,
  }));

/** RSASSA-PSS, where RFC 8332 has PKCS #1 v1.5. */
const signPss = (data: Buffer) => sign('sha512', data, { key: rsa.privateKey, padding: 6, saltLength: 64 });
const withZero = (blob: Buffer) =>
  named('rsa-sha2-512', Buffer.concat([Buffer.alloc(1), blob.subarray(4 + 'rsa-sha2-512'.length + 4)]));

const rsaSignatures = instead(rsa, [
  ['RSA with SHA-1 (ssh-rsa)', rsa.signWith('sha1', 'ssh-rsa')],
  ['RSA with SHA-2 that calls itself ssh-rsa', rsa.signWith('sha512', 'ssh-rsa')],
  ['RSA with SHA-1 that calls itself rsa-sha2-256', rsa.signWith('sha1', 'rsa-sha2-256')],
  ['RSA with SHA-256 that calls itself rsa-sha2-512', rsa.signWith('sha256', 'rsa-sha2-512')],
  ['RSA as an algorithm of certificates', rsa.signWith('sha512', 'rsa-sha2-512-cert-v01@openssh.com')],
  ['RSA with PSS', (data) => named('rsa-sha2-512', signPss(data))],
  ['an RSA key that signs as ed25519', (data) => named('ssh-ed25519', otherSigner.sign(data))],
  ['an RSA signature of zeros', () => named('rsa-sha2-512', Buffer.alloc(256))],
  ['an RSA signature with a zero in front', (data) => withZero(rsa.sign(data))],
]);

/** The order of the group, little-endian (RFC 8032 §5.1). */
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const fromLittle = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const toLittle = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
const rawOf = (data: Buffer) => signer.sign(data).subarray(-64);

const asSecurityKey = (raw: Buffer) =>
  Buffer.concat([named('sk-ssh-ed25519@openssh.com', raw), statement({ flags: touched })]);

const ed25519Signatures = instead(signer, [
  [
    'an ed25519 signature whose S is L too large',
    (data) => {
      const raw = rawOf(data);
      return named(
        'ssh-ed25519',
        Buffer.concat([raw.subarray(0, 32), toLittle(fromLittle(raw.subarray(32)) + groupOrder)]),
      );
    },
  ],
  ['an ed25519 signature of 63 bytes', (data) => named('ssh-ed25519', rawOf(data).subarray(0, 63))],
  [
    'an ed25519 signature of 65 bytes',
    (data) => named('ssh-ed25519', Buffer.concat([rawOf(data), Buffer.alloc(1)])),
  ],
  ['an ed25519 signature and more', (data) => Buffer.concat([signer.sign(data), field('more')])],
  ['an ed25519 key that signs as RSA', rsa.sign],
  ['an ed25519 key that signs as ECDSA', ecdsaSigners[0].sign],
  ['a signature by a key that nobody registered', securityKeySigner('ed25519').sign],
  ['a signature without an algorithm', (data) => named('', rawOf(data))],
  ['a signature whose algorithm has a NUL behind', (data) => named('ssh-ed25519\0', rawOf(data))],
  ['a signature of the algorithm __proto__', (data) => named('__proto__', rawOf(data))],
  ['a signature that calls itself one of a security key', (data) => asSecurityKey(rawOf(data))],
  ['a signature of the message with a byte behind', (data) => signer.sign(Buffer.concat([data, data]))],
]);

const p256 = ecdsaSigners[0];
/** The order of P-256's group (FIPS 186-4 D.1.2.3). */
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const withNumbers = (change: (r: Buffer, s: Buffer) => Buffer) => (data: Buffer) =>
  named(p256.algorithm, change(...p256.numbers(data)));
const zero = Buffer.alloc(32);
const plusOrder = (number: Buffer) =>
  Buffer.from((BigInt(`0x${number.toString('hex')}`) + p256Order).toString(16).padStart(66, '0'), 'hex');
const both = (r: Buffer, s: Buffer) => Buffer.concat([mpint(r), mpint(s)]);
const negative = (number: Buffer) => field(Buffer.concat([Buffer.from([0x80]), number.subarray(1)]));

const ecdsaSignatures = [
  ...instead(p256, [
    ['ECDSA with r zero', withNumbers((_r, s) => both(zero, s))],
    ['ECDSA with s zero', withNumbers((r) => both(r, zero))],
    ['ECDSA with both zero', withNumbers(() => both(zero, zero))],
    ['ECDSA with r the order too large', withNumbers((r, s) => both(plusOrder(r), s))],
    ['ECDSA with s the order too large', withNumbers((r, s) => both(r, plusOrder(s)))],
    ['ECDSA with s negative', withNumbers((r, s) => Buffer.concat([mpint(r), negative(s)]))],
    ['ECDSA with zeros in front of r', withNumbers((r, s) => Buffer.concat([padded(r), mpint(s)]))],
    ['ECDSA with r and s exchanged', withNumbers((r, s) => both(s, r))],
    ['ECDSA with a third number', withNumbers((r, s) => Buffer.concat([both(r, s), mpint(s)]))],
    ['ECDSA without s', withNumbers((r) => mpint(r))],
    ['ECDSA as 64 plain bytes', withNumbers((r, s) => Buffer.concat([r, s]))],
    ['ECDSA in DER', (data) => named(p256.algorithm, sign('sha256', data, p256.privateKey as KeyObject))],
    ['P-256 that calls itself P-384', withName(p256, 'ecdsa-sha2-nistp384')],
    ['P-256 that signs as P-384 would', hashedWith('sha384', p256, ecdsaSigners[1].algorithm)],
    ['P-384 in the place of P-256', ecdsaSigners[1].sign],
  ]),
  ...instead(ecdsaSigners[1], [
    ['P-384 with SHA-256', hashedWith('sha256', ecdsaSigners[1], ecdsaSigners[1].algorithm)],
    ['P-384 that calls itself P-256', withName(ecdsaSigners[1], 'ecdsa-sha2-nistp256')],
  ]),
  ...instead(ecdsaSigners[2], [
    ['P-521 with SHA-256', hashedWith('sha256', ecdsaSigners[2], ecdsaSigners[2].algorithm)],
  ]),
];

function padded(number: Buffer): Buffer {
  return field(Buffer.concat([Buffer.alloc(2), number]));
}
function withName(of: TokenSigner, algorithm: string) {
  return (data: Buffer) => {
    const blob = of.sign(data);
    return Buffer.concat([field(algorithm), blob.subarray(4 + blob.readUInt32BE())]);
  };
}
function hashedWith(hash: string, { privateKey }: (typeof ecdsaSigners)[number], algorithm: string) {
  return (data: Buffer) => {
    const raw = sign(hash, data, { key: privateKey as KeyObject, dsaEncoding: 'ieee-p1363' });
    return named(algorithm, both(raw.subarray(0, raw.length / 2), raw.subarray(raw.length / 2)));
  };
}

export const brokenSignatures: readonly BrokenToken[] = [
  ...rsaSignatures,
  ...ed25519Signatures,
  ...ecdsaSignatures,
];
