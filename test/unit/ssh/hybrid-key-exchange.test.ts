import { createHash, createPublicKey, decapsulate, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answerHybridInit } from '../../../src/ssh/hybrid-key-exchange.ts';
import { replaceChosenKex } from '../../../src/ssh/kexinit.ts';

const raw = (key: { export(options: { type: 'spki'; format: 'der' }): Buffer }, bytes: number) =>
  key.export({ type: 'spki', format: 'der' }).subarray(-bytes);

/** The client's half, from the draft and independent of ours. */
function makeClient() {
  const mlkem = generateKeyPairSync('ml-kem-768' as 'x25519');
  const x25519 = generateKeyPairSync('x25519');
  const init = Buffer.concat([raw(mlkem.publicKey, 1184), raw(x25519.publicKey, 32)]);
  const secretOf = (reply: Buffer) => {
    const ourPoint = createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), reply.subarray(1088)]),
      format: 'der',
      type: 'spki',
    });
    const quantum = decapsulate(mlkem.privateKey, reply.subarray(0, 1088));
    const classical = diffieHellman({ privateKey: x25519.privateKey, publicKey: ourPoint });
    return createHash('sha256')
      .update(Buffer.concat([quantum, classical]))
      .digest();
  };
  return { init, secretOf };
}

describe('mlkem768x25519-sha256', () => {
  it('gives both sides the same secret: SHA-256 over ML-KEM’s, then X25519’s', () => {
    const { init, secretOf } = makeClient();
    const { reply, sharedSecret } = answerHybridInit(init);
    expect(reply).toHaveLength(1088 + 32);
    expect(sharedSecret).toEqual(secretOf(reply));
  });

  it('is fresh each time', () => {
    const { init } = makeClient();
    expect(answerHybridInit(init).sharedSecret).not.toEqual(answerHybridInit(init).sharedSecret);
  });

  it.each([0, 1, 32, 1184, 1215, 1217, 100_000])('refuses a C_INIT of %i bytes', (bytes) => {
    expect(() => answerHybridInit(Buffer.alloc(bytes))).toThrow();
  });

  it('low-order-point: refuses an X25519 key that forces the secret', () => {
    const { init } = makeClient();
    const forced = Buffer.concat([init.subarray(0, 1184), Buffer.alloc(32)]);
    expect(() => answerHybridInit(forced)).toThrow();
  });

  it('unreduced-key: refuses an ML-KEM key whose numbers are not below the modulus (FIPS 203 §7.2)', () => {
    const { init } = makeClient();
    const unreduced = Buffer.concat([Buffer.alloc(1152, 0xff), init.subarray(1152)]);
    expect(() => answerHybridInit(unreduced)).toThrow();
  });
});

describe('the KEXINIT that ssh2 is shown', () => {
  const kexinit = (names: string, rest = 'rest') => {
    const head = Buffer.alloc(17, 7);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(names.length);
    return Buffer.concat([head, length, Buffer.from(names), Buffer.from(rest)]);
  };
  const offered = ['pq', 'curve', 'other'];

  it('differs only where the hybrid is what both agree on', () => {
    expect(replaceChosenKex(kexinit('new,pq,curve,ext-info-c'), offered, 'pq', 'curve')).toEqual(
      kexinit('new,curve,curve,ext-info-c'),
    );
    expect(replaceChosenKex(kexinit('curve,pq'), offered, 'pq', 'curve')).toBeUndefined();
    expect(replaceChosenKex(kexinit('unknown'), offered, 'pq', 'curve')).toBeUndefined();
  });

  it('is left to ssh2 to refuse when it is malformed', () => {
    const whole = kexinit('pq');
    for (const bytes of [0, 1, 17, 20, 21, 22]) {
      expect(replaceChosenKex(whole.subarray(0, bytes), offered, 'pq', 'curve')).toBeUndefined();
    }
  });
});
