/** Keys that no gateway takes, in tokens that are sound but for them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { assemble, soundFields } from '../certificate-blobs.ts';
import { field, mpint } from '../keys.ts';
import { makeSecurityKey } from '../security-key.ts';
import { named, rsaSigner, type TokenSigner } from '../tokens.ts';
import { type BrokenToken, ecdsaSigners, forge, otherSigner, signer } from './broken-token.ts';

/** A key that is none, though somebody got it into the store. */
const keyed = (list: readonly (readonly [name: string, blob: Buffer, signInstead?: TokenSigner['sign']])[]) =>
  list.map(
    ([name, blob, signInstead = signer.sign]): BrokenToken => ({
      name,
      broken: forge({ signer: { blob, sign: signInstead } }),
      mended: forge(),
      refused: /key is not accepted/,
      keys: [blob],
    }),
  );

const point = (hex: string) => Buffer.concat([field('ssh-ed25519'), field(Buffer.from(hex, 'hex'))]);
const certificate = assemble(soundFields(signer, otherSigner), otherSigner);
const dsa = () => {
  const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
  const blob = Buffer.concat([field('ssh-dss'), ...[1, 2, 3, 4].map(() => mpint(Buffer.alloc(128, 0x55)))]);
  const raw = (data: Buffer) => sign('sha1', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return { blob, sign: (data: Buffer) => named('ssh-dss', raw(data)) };
};
const weakKey = dsa();
const shortKey = rsaSigner(1024);
const turnedPoint = Buffer.from(ecdsaSigners[0].blob);
turnedPoint[turnedPoint.length - 1] = (turnedPoint.at(-1) as number) ^ 1;
const securityKey = makeSecurityKey('ed25519');
const zeros = '00'.repeat(31);
/** With the point of order 1 for a key, S·B = R holds for every message where S is 0 and R that point. */
const forgedWithoutKey = Buffer.concat([Buffer.from(`01${zeros}`, 'hex'), Buffer.alloc(32)]);

export const brokenKeys: readonly BrokenToken[] = keyed([
  ['a certificate in the place of the key', certificate, signer.sign],
  ['a DSA key', weakKey.blob, weakKey.sign],
  ['an RSA key of 1024 bits', shortKey.blob, shortKey.sign],
  ['a key of small order: 1', point(`01${zeros}`), () => named('ssh-ed25519', forgedWithoutKey)],
  ['a key of small order: 0', point(`00${zeros}`)],
  ['a key of small order: -1', point(`ec${'ff'.repeat(30)}7f`)],
  ['a key of small order, its sign turned', point(`01${'00'.repeat(30)}80`)],
  ['a point that is not on its curve', turnedPoint, ecdsaSigners[0].sign],
  ['a key with a byte behind', Buffer.concat([signer.blob, Buffer.alloc(1)])],
  ['a key cut short', signer.blob.subarray(0, -1)],
  ['an empty key', Buffer.alloc(0)],
  ['a key of an unknown type', Buffer.concat([field('ssh-xmss@openssh.com'), field('x')])],
  [
    'a key of a web browser',
    Buffer.concat([field('webauthn-sk-ecdsa-sha2-nistecdsaSigners[0]@openssh.com'), field('x')]),
  ],
  ['a key of an authority', Buffer.concat([field('ssh-ed25519-cert-v00@openssh.com'), field('x')])],
  ['a security key without its application', securityKey.blob.subarray(0, -8), securityKey.sign],
]);
