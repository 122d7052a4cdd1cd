import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answerX25519 } from '../../../src/ssh/x25519.ts';

const prefix = Buffer.from('302a300506032b656e032100', 'hex');
const toKey = (raw: Buffer) =>
  createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });

describe('X25519', () => {
  it('gives both sides the same secret, a new one each time', () => {
    const theirs = generateKeyPairSync('x25519');
    const raw = theirs.publicKey.export({ type: 'spki', format: 'der' }).subarray(prefix.length);
    const [first, second] = [answerX25519(raw), answerX25519(raw)];
    for (const { publicKey, secret } of [first, second])
      expect(diffieHellman({ privateKey: theirs.privateKey, publicKey: toKey(publicKey) })).toEqual(secret);
    expect(first.secret).not.toEqual(second.secret);
  });

  it.each([0, 1, 31, 33, 44, 64, 100_000])('refuses a key of %i bytes', (bytes) => {
    expect(() => answerX25519(Buffer.alloc(bytes, 9))).toThrow('of the wrong length');
  });

  // RFC 7748 §6.1: what forces an all-zero secret is to be refused.
  it.each([
    ['0', '00'.repeat(32)],
    ['1', `01${'00'.repeat(31)}`],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p - 1', `ec${'ff'.repeat(30)}7f`],
    ['p', `ed${'ff'.repeat(30)}7f`],
    ['p + 1', `ee${'ff'.repeat(30)}7f`],
  ])('low-order-point: refuses %s', (_, hex) => {
    expect(() => answerX25519(Buffer.from(hex, 'hex'))).toThrow();
  });
});
