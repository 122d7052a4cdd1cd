import { createPublicKey, verify } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import { expect, it } from 'vitest';
import { readyToSign } from '../../../src/ssh/ready-to-sign.ts';

const data = Buffer.from('an exchange hash');

const keyOf = (pair: { readonly private: string }) => ssh2.utils.parseKey(pair.private) as ParsedKey;
const { generateKeyPairSync } = ssh2.utils;

it.each([
  ['ed25519', keyOf(generateKeyPairSync('ed25519')), undefined],
  ['RSA, SHA-512', keyOf(generateKeyPairSync('rsa', { bits: 2048 })), 'sha512'],
  ['RSA, SHA-256', keyOf(generateKeyPairSync('rsa', { bits: 2048 })), 'sha256'],
  ['ECDSA', keyOf(generateKeyPairSync('ecdsa', { bits: 256 })), 'sha256'],
] as const)('a signature of a host key that is read already verifies: %s', (_name, key, hash) => {
  const signature = readyToSign(key).sign(data, hash) as Buffer;
  expect(verify(hash, data, createPublicKey(key.getPublicPEM()), signature)).toBe(true);
});

it('where nobody says what is hashed by, a host key signs as ssh2 would', () => {
  const key = keyOf(generateKeyPairSync('ecdsa', { bits: 384 }));
  const signature = readyToSign(key).sign(data) as Buffer;
  expect(verify('sha384', data, createPublicKey(key.getPublicPEM()), signature)).toBe(true);
});
