import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PublicKey } from '../../../src/keys/key-types.ts';
import { parsePublicKeyBlob } from '../../../src/keys/parse-public-key.ts';
import { type SignatureToVerify, verifySignature } from '../../../src/keys/verify-signature.ts';
import { field, mpint } from '../../support/keys.ts';
import { malformedSignatures } from '../../support/malformed-signatures.ts';
import { makeSecurityKey } from '../../support/security-key.ts';

interface Signer {
  readonly key: PublicKey;
  readonly privateKey: KeyObject;
}

const data = Buffer.from('what was signed');
const part = (jwk: { [name: string]: unknown }, name: string) =>
  Buffer.from(jwk[name] as string, 'base64url');

function ed25519Signer(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const x = part({ ...publicKey.export({ format: 'jwk' }) }, 'x');
  return { key: parsePublicKeyBlob(Buffer.concat([field('ssh-ed25519'), field(x)])), privateKey };
}

function ecdsaSigner(curve: string, name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const jwk = { ...publicKey.export({ format: 'jwk' }) };
  const point = Buffer.concat([Buffer.from([4]), part(jwk, 'x'), part(jwk, 'y')]);
  const blob = Buffer.concat([field(`ecdsa-sha2-${name}`), field(name), field(point)]);
  return { key: parsePublicKeyBlob(blob), privateKey };
}

function rsaSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }) };
  const blob = Buffer.concat([field('ssh-rsa'), mpint(part(jwk, 'e')), mpint(part(jwk, 'n'))]);
  return { key: parsePublicKeyBlob(blob), privateKey };
}

/** A signature blob, RFC 4253 §6.6. */
const named = (algorithm: string, signature: Buffer) => Buffer.concat([field(algorithm), field(signature)]);

/** As a client puts it on the wire, RFC 5656 §3.1.2. */
function wireEcdsa(hash: string, privateKey: KeyObject): Buffer {
  const both = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([mpint(both.subarray(0, both.length / 2)), mpint(both.subarray(both.length / 2))]);
}

const ed = ed25519Signer();
const rsa = rsaSigner();
const curves = [
  { name: 'nistp256', hash: 'sha256', signer: ecdsaSigner('P-256', 'nistp256') },
  { name: 'nistp384', hash: 'sha384', signer: ecdsaSigner('P-384', 'nistp384') },
  { name: 'nistp521', hash: 'sha512', signer: ecdsaSigner('P-521', 'nistp521') },
];

const valid: SignatureToVerify[] = [
  {
    key: ed.key,
    algorithm: 'ssh-ed25519',
    signature: named('ssh-ed25519', sign(null, data, ed.privateKey)),
    data,
  },
  ...['256', '512'].map(
    (size): SignatureToVerify => ({
      key: rsa.key,
      algorithm: `rsa-sha2-${size}`,
      signature: named(`rsa-sha2-${size}`, sign(`sha${size}`, data, rsa.privateKey)),
      data,
    }),
  ),
  ...curves.map(({ name, hash, signer }): SignatureToVerify => {
    const algorithm = `ecdsa-sha2-${name}`;
    return {
      key: signer.key,
      algorithm,
      signature: named(algorithm, wireEcdsa(hash, signer.privateKey)),
      data,
    };
  }),
  ...(['ed25519', 'ecdsa'] as const).map((kind): SignatureToVerify => {
    const { type, blob, sign: signed } = makeSecurityKey(kind);
    return { key: parsePublicKeyBlob(blob), algorithm: type, signature: signed(data), data };
  }),
];

describe.each(valid.map((signed) => [signed.algorithm, signed] as const))(
  'a signature by %s',
  (_name, signed) => {
    it('verifies', () => {
      for (let round = 0; round < 3; round++) expect(verifySignature(signed)).toBeDefined();
    });

    it('does not verify once a bit of it or of the data is turned', () => {
      for (let index = 0; index < signed.signature.length; index += 5) {
        const forged = Buffer.from(signed.signature);
        forged[index] = (forged[index] as number) ^ 1;
        expect(verifySignature({ ...signed, signature: forged })).toBeUndefined();
      }
      expect(verifySignature({ ...signed, data: Buffer.from('something else') })).toBeUndefined();
    });

    it('does not verify when it is cut, lengthened, empty, zero or random', () => {
      const { signature } = signed;
      const malformed = [
        Buffer.alloc(0),
        signature.subarray(1),
        signature.subarray(0, -1),
        Buffer.concat([signature, Buffer.alloc(1)]),
        Buffer.alloc(signature.length),
        randomBytes(signature.length),
        Buffer.alloc(100_000, 0xff),
      ];
      for (const forged of malformed)
        expect(verifySignature({ ...signed, signature: forged })).toBeUndefined();
    });

    it('does not verify with any other key or under any other algorithm', () => {
      for (const other of valid) {
        if (other.key !== signed.key) expect(verifySignature({ ...signed, key: other.key })).toBeUndefined();
        if (other.algorithm !== signed.algorithm) {
          expect(verifySignature({ ...signed, algorithm: other.algorithm })).toBeUndefined();
        }
      }
      for (const algorithm of ['', 'none', 'ssh-rsa', '__proto__', 'constructor']) {
        expect(verifySignature({ ...signed, algorithm })).toBeUndefined();
      }
    });
  },
);

describe('RSA', () => {
  it('with SHA-1 is refused though the signature is right', () => {
    const signature = sign('sha1', data, rsa.privateKey);
    for (const algorithm of ['ssh-rsa', 'rsa-sha2-256', 'rsa-sha2-512']) {
      const forged = { key: rsa.key, algorithm, signature: named(algorithm, signature), data };
      expect(verifySignature(forged)).toBeUndefined();
    }
  });

  it('verifies when the signer left out a leading zero', () => {
    for (let round = 0; ; round++) {
      const tried = Buffer.from(`message ${round}`);
      const signature = sign('sha256', tried, rsa.privateKey);
      if (signature[0] !== 0) continue;
      const shorter = { key: rsa.key, algorithm: 'rsa-sha2-256', data: tried } as const;
      expect(
        verifySignature({ ...shorter, signature: named('rsa-sha2-256', signature.subarray(1)) }),
      ).toBeDefined();
      return;
    }
  });
});

describe('ecdsa', () => {
  it('with negative, padded or zero numbers is refused', () => {
    const { signer, name, hash } = curves[0] as (typeof curves)[0];
    const both = sign(hash, data, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
    const [r, s] = [both.subarray(0, 32), both.subarray(32)];
    const padded = (number: Buffer) => field(Buffer.concat([Buffer.alloc(3), number]));
    for (const signature of [
      Buffer.concat([padded(r), padded(s)]),
      Buffer.concat([field(Buffer.concat([Buffer.from([0x80]), r])), mpint(s)]),
      Buffer.concat([mpint(Buffer.alloc(1)), mpint(Buffer.alloc(1))]),
      Buffer.concat([mpint(r), mpint(s), field('')]),
    ]) {
      const algorithm = `ecdsa-sha2-${name}`;
      const forged = { key: signer.key, algorithm, signature: named(algorithm, signature), data };
      expect(verifySignature(forged)).toBeUndefined();
    }
  });
});

const kinds = ['ed25519', 'ecdsa'] as const;

describe('a signature by a security key', () => {
  it.each(kinds)('of kind %s says what the key saw, whatever its counter', (kind) => {
    const security = makeSecurityKey(kind);
    const key = parsePublicKeyBlob(security.blob);
    for (const counter of [0, 1, 0xff_ff_ff_ff]) {
      for (const flags of [0, 1, 4, 5, 0x3a]) {
        const signature = security.sign(data, { flags, counter });
        expect(verifySignature({ key, algorithm: security.type, signature, data })).toEqual({
          securityKey: { userPresent: (flags & 1) === 1, userVerified: (flags & 4) === 4, counter },
        });
      }
    }
  });

  it('holds for the application in the key only', () => {
    const security = makeSecurityKey('ed25519', 'ssh:work');
    const request = { key: parsePublicKeyBlob(security.blob), algorithm: security.type, data };
    expect(verifySignature({ ...request, signature: security.sign(data) })).toBeDefined();
    for (const application of ['ssh:', 'ssh:work ', 'https://example.com']) {
      expect(
        verifySignature({ ...request, signature: security.sign(data, { application }) }),
      ).toBeUndefined();
    }
  });

  describe.each(kinds)('that is malformed (%s)', (kind) => {
    const security = makeSecurityKey(kind);
    const key = parsePublicKeyBlob(security.blob);
    const cases = malformedSignatures(security, data);

    it('comes in forty ways', () => expect(cases.length).toBeGreaterThanOrEqual(40));

    it.each(cases)('is refused: %s', (_name, signature, algorithm = security.type) => {
      expect(verifySignature({ key, algorithm, signature, data })).toBeUndefined();
      expect(verifySignature({ key, algorithm: security.type, signature, data })).toBeUndefined();
    });
  });
});

describe('the kept key objects', () => {
  it('do not mix keys up when there are more than are kept', () => {
    const signers = Array.from({ length: 1100 }, ed25519Signer);
    for (const { key, privateKey } of [...signers.slice(0, 50), ...signers.slice(-50)]) {
      const signer = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const signature = named('ssh-ed25519', sign(null, data, signer));
      expect(verifySignature({ key, algorithm: 'ssh-ed25519', signature, data })).toBeDefined();
      expect(verifySignature({ key: ed.key, algorithm: 'ssh-ed25519', signature, data })).toBeUndefined();
    }
  });
});
