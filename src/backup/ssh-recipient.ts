/**
 * SSH keys as recipients of an age file (age-encryption.org/v1), as the Go package agessh defines the stanzas
 * `ssh-ed25519` and `ssh-rsa`: what is made for one is opened by `age -d -i ~/.ssh/id_…`.
 */
import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  publicEncrypt,
} from 'node:crypto';
import { type Recipient, Stanza } from 'age-encryption';
import { GatewayError } from '../errors.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { keyObjectOf } from '../keys/parse-public-key.ts';
import { montgomeryOf, x25519PrivateKey, x25519PublicKey } from './x25519-keys.ts';

export const ed25519Label = 'age-encryption.org/v1/ssh-ed25519';
export const rsaLabel = 'age-encryption.org/v1/ssh-rsa';
/** What age itself wants. */
const minRsaBits = 2048;

/** Unpadded, as everything in an age header. */
export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

/** By which the key that a stanza is for is told from others: the beginning of the SHA-256 of its blob. */
export const tagOf = (blob: Buffer) => base64(createHash('sha256').update(blob).digest().subarray(0, 4));

/** Throws usage for keys of other types, which nothing can be encrypted to. */
export function createSshRecipient(key: PublicKey): Recipient {
  if (key.type === 'ssh-ed25519') return { wrapFileKey: (fileKey) => [toEd25519(key, fileKey)] };
  if (key.type === 'ssh-rsa' && key.bits >= minRsaBits) {
    return { wrapFileKey: (fileKey) => [toRsa(key, fileKey)] };
  }
  throw new GatewayError('usage', {
    problem: `nothing can be encrypted to a key of type ${key.type}${key.type === 'ssh-rsa' ? ` with ${key.bits} bits` : ''}; name one of type ssh-ed25519, or ssh-rsa with ${minRsaBits} bits or more.`,
  });
}

function toEd25519(key: PublicKey, fileKey: Uint8Array): Stanza {
  const theirs = montgomeryOf(
    Buffer.from(keyObjectOf(key).export({ format: 'jwk' }).x as string, 'base64url'),
  );
  const ephemeral = generateKeyPairSync('x25519');
  const share = rawOf(ephemeral.publicKey);
  const shared = tweaked(
    key.blob,
    diffieHellman({ privateKey: ephemeral.privateKey, publicKey: x25519PublicKey(theirs) }),
  );
  const wrapping = wrappingKey(shared, share, theirs);
  const cipher = createCipheriv('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return new Stanza(['ssh-ed25519', tagOf(key.blob), base64(share)], body);
}

function toRsa(key: PublicKey, fileKey: Uint8Array): Stanza {
  const body = publicEncrypt(
    { key: createPublicKey(keyObjectOf(key).export({ format: 'pem', type: 'spki' })), ...oaep },
    fileKey,
  );
  return new Stanza(['ssh-rsa', tagOf(key.blob)], body);
}

/** RFC 8017 §7.1, its label NUL-free, as Go's crypto/rsa takes it. */
export const oaep = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
  oaepLabel: Buffer.from(rsaLabel),
} as const;

/** Bound to the SSH key itself: two of them may have one Montgomery point. */
export function tweaked(blob: Buffer, shared: Buffer): Buffer {
  const tweak = Buffer.from(hkdfSync('sha256', Buffer.alloc(0), blob, ed25519Label, 32));
  return diffieHellman({ privateKey: x25519PrivateKey(tweak), publicKey: x25519PublicKey(shared) });
}

export const wrappingKey = (shared: Buffer, share: Buffer, theirs: Buffer) =>
  Buffer.from(hkdfSync('sha256', shared, Buffer.concat([share, theirs]), ed25519Label, 32));

const rawOf = (key: KeyObject) => Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
