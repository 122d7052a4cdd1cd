/** X25519 (RFC 7748) with public keys as SSH sends them: 32 bytes. */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';

export const x25519KeyBytes = 32;

/** SubjectPublicKeyInfo in front of the raw key, RFC 8410. */
const prefix = Buffer.from('302a300506032b656e032100', 'hex');
const pemHead = `-----BEGIN PUBLIC KEY-----\n${prefix.toString('base64')}`;
const pemTail = '\n-----END PUBLIC KEY-----\n';

export interface X25519Answer {
  readonly publicKey: Buffer;
  readonly secret: Buffer;
}

/** A new key's public half, and what it has in common with theirs. Throws when theirs is malformed or of low order. */
export function answerX25519(theirs: Buffer): X25519Answer {
  if (theirs.length !== x25519KeyBytes) throw new Error('an X25519 key of the wrong length');
  // As text, which can be nothing else: of an object node:crypto asks by exceptions which kind of key it is, five times the price.
  const publicKey = createPublicKey(`${pemHead}${theirs.toString('base64')}${pemTail}`);
  const ours = generateKeyPairSync('x25519');
  return {
    publicKey: Buffer.from(String(ours.publicKey.export({ format: 'jwk' }).x), 'base64url'),
    secret: diffieHellman({ privateKey: ours.privateKey, publicKey }),
  };
}
