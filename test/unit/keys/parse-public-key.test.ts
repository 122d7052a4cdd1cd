import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/errors.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { fingerprintMd5, fingerprintOf, parsePublicKeyBlob } from '../../../src/keys/parse-public-key.ts';
import {
  acceptedKinds,
  blobOf,
  field,
  generateKey,
  lineOf,
  mpint,
  output,
  quickKey,
} from '../../support/keys.ts';
import { makeSecurityKey } from '../../support/security-key.ts';

const refusal = (parse: () => unknown): string => {
  try {
    parse();
  } catch (error) {
    if (isGatewayError(error, 'invalid-key')) return error.message;
    throw error;
  }
  return 'accepted';
};

const refusalOf = (line: string) => refusal(() => parseKeysToAdd(line));

const ed25519 = (point: Buffer) => Buffer.concat([field('ssh-ed25519'), field(point)]);

const ecdsa = (curve: string, point: Buffer) =>
  Buffer.concat([field(`ecdsa-sha2-${curve}`), field(curve), field(point)]);

const rsa = (exponent: Buffer, modulus: Buffer) =>
  Buffer.concat([field('ssh-rsa'), mpint(exponent), mpint(modulus)]);

const three = Buffer.from([3]);

function rsaModulus(bits: number): Buffer {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return Buffer.from(publicKey.export({ format: 'jwk' }).n as string, 'base64url');
}

describe('a public key made by ssh-keygen', () => {
  it.each(acceptedKinds)(
    'of type %s with %s bits is read with the fingerprints ssh-keygen prints',
    async (type, bits) => {
      const { file, line } = await generateKey(type, bits);
      const key = parsePublicKeyBlob(blobOf(line));
      expect(line).toBe(`${key.line} a comment`);
      expect((await output('ssh-keygen', ['-lf', file])).split(' ').slice(0, 2)).toEqual([
        bits,
        key.fingerprint,
      ]);
      expect(key.bits).toBe(Number(bits));
      expect(fingerprintOf(key.blob)).toBe(key.fingerprint);
      const md5 = await output('ssh-keygen', ['-l', '-E', 'md5', '-f', file]);
      expect(md5).toContain(`MD5:${fingerprintMd5(key.blob)} `);
    },
  );

  it('is refused when it is RSA of 1024 bits, with the reason and the way out', async () => {
    const message = refusalOf((await generateKey('rsa', '1024')).line);
    expect(message).toContain('1024 bits');
    expect(message).toContain('ssh-keygen -t ed25519');
  });
});

describe('a hostile or broken public key', () => {
  it('is refused when something follows the key in its blob', () => {
    for (const extra of [Buffer.from([0]), field('more'), Buffer.alloc(4)]) {
      const blob = Buffer.concat([blobOf(quickKey()), extra]);
      expect(refusalOf(lineOf('ssh-ed25519', blob))).toContain('something follows');
    }
  });

  it('is refused wherever it is cut', () => {
    const blob = blobOf(quickKey());
    for (let length = 0; length < blob.length; length++) {
      expect(refusal(() => parsePublicKeyBlob(blob.subarray(0, length)))).not.toBe('accepted');
    }
  });

  it('is refused when the type word is not the type inside', () => {
    const blob = blobOf(quickKey());
    expect(refusalOf(lineOf('ssh-rsa', blob))).toContain('ssh-ed25519 inside');
    expect(refusalOf(lineOf('ecdsa-sha2-nistp256', blob))).toContain('ssh-ed25519 inside');
  });

  it('is refused when a length in it claims more than there is', () => {
    const blob = Buffer.concat([field('ssh-ed25519'), Buffer.from('ffffffff', 'hex'), Buffer.alloc(32)]);
    expect(refusal(() => parsePublicKeyBlob(blob))).toContain('cut short');
  });

  it('is refused when an ed25519 point has another length', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(refusal(() => parsePublicKeyBlob(ed25519(Buffer.alloc(length, 7))))).toContain('32 bytes');
    }
  });

  it('is refused when its point lies off the curve', () => {
    const curves = [
      ['nistp256', 32],
      ['nistp384', 48],
      ['nistp521', 66],
    ] as const;
    for (const [curve, length] of curves) {
      const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(length, 1), Buffer.alloc(length, 2)]);
      expect(refusal(() => parsePublicKeyBlob(ecdsa(curve, point)))).toContain('not on the curve');
      const zero = Buffer.concat([Buffer.from([4]), Buffer.alloc(2 * length)]);
      expect(refusal(() => parsePublicKeyBlob(ecdsa(curve, zero)))).toContain('not on the curve');
    }
  });

  it('is refused when its point is compressed, at infinity, or of another curve', () => {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    const good = ecdh.getPublicKey();
    expect(parsePublicKeyBlob(ecdsa('nistp256', good)).bits).toBe(256);
    for (const point of [
      ecdh.getPublicKey(null, 'compressed'),
      Buffer.alloc(1),
      ecdh.getPublicKey(null, 'hybrid'),
    ]) {
      expect(refusal(() => parsePublicKeyBlob(ecdsa('nistp256', point)))).toContain('uncompressed');
    }
    const mixed = Buffer.concat([field('ecdsa-sha2-nistp256'), field('nistp384'), field(good)]);
    expect(refusal(() => parsePublicKeyBlob(mixed))).toContain('curve is another one');
  });

  it('is refused when RSA numbers are even, negative, zero, padded or out of bounds', () => {
    const modulus = rsaModulus(2048);
    expect(parsePublicKeyBlob(rsa(three, modulus)).bits).toBe(2048);
    const even = Buffer.from(modulus);
    even[even.length - 1] = 0x10;
    const head = [field('ssh-rsa'), mpint(three)];
    const cases: [Buffer, string][] = [
      [rsa(three, even), 'modulus is even'],
      [rsa(Buffer.from([1]), modulus), 'exponent'],
      [rsa(Buffer.from([4]), modulus), 'exponent'],
      [rsa(Buffer.alloc(9, 0xff), modulus), 'exponent'],
      [rsa(Buffer.alloc(1), modulus), 'zero'],
      [rsa(three, Buffer.alloc(16385 / 8 + 1, 0xff)), '16384 bits'],
      [Buffer.concat([...head, field(modulus)]), 'negative'],
      [Buffer.concat([...head, field(Buffer.concat([Buffer.alloc(2), modulus]))]), 'padded'],
      [Buffer.concat([...head, field(Buffer.alloc(0))]), 'zero'],
    ];
    for (const [blob, problem] of cases) expect(refusal(() => parsePublicKeyBlob(blob))).toContain(problem);
  });

  it('is refused when it is huge', () => {
    const blob = Buffer.concat([
      field('ssh-rsa'),
      field(Buffer.alloc(9000, 1)),
      field(Buffer.alloc(9000, 1)),
    ]);
    expect(refusal(() => parsePublicKeyBlob(blob))).toContain('too long');
    expect(refusalOf(lineOf('ssh-rsa', blob))).toContain('16 KiB');
  });

  it('is refused when its base64 is damaged, unpadded or wrapped', () => {
    const line = quickKey();
    for (const damaged of [
      line.slice(0, -1),
      `${line}=`,
      line.replace('AAAA', 'AA*A'),
      `${line.slice(0, 40)} ${line.slice(40)}`,
    ]) {
      expect(refusalOf(damaged)).toMatch(/base64|cut short|broken/);
    }
  });

  it('is refused when it is DSA, a certificate, for web browsers or of a type nobody knows', () => {
    expect(refusalOf(lineOf('ssh-dss', Buffer.concat([field('ssh-dss'), randomBytes(400)])))).toContain(
      'ssh-keygen -t ed25519',
    );
    const cert = 'ssh-ed25519-cert-v01@openssh.com';
    expect(refusalOf(lineOf(cert, Buffer.concat([field(cert), randomBytes(80)])))).toContain('certificate');
    const webauthn = 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com';
    expect(refusalOf(lineOf(webauthn, Buffer.concat([field(webauthn), randomBytes(80)])))).toContain(
      'sign in a web browser',
    );
    expect(refusalOf(lineOf('ssh-xmss', field('ssh-xmss')))).toContain('ssh-xmss');
    for (const type of ['__proto__', 'constructor', 'toString']) {
      expect(refusalOf(lineOf(type, field(type)))).toContain('not known');
    }
  });
});

describe('a security key', () => {
  const kinds = ['ed25519', 'ecdsa'] as const;

  it.each(kinds)('of kind %s is read, and has the fingerprint ssh-keygen prints', async (kind) => {
    const { line, type, blob } = makeSecurityKey(kind, 'ssh:work');
    const file = join(mkdtempSync(join(tmpdir(), 'postern-sk-')), 'id.pub');
    writeFileSync(file, `${line}\n`);
    const key = parsePublicKeyBlob(blob);
    expect(key).toMatchObject({ type, line, application: 'ssh:work', bits: 256 });
    expect((await output('ssh-keygen', ['-lf', file])).split(' ')[1]).toBe(key.fingerprint);
  });

  it.each(kinds)(
    'of kind %s is refused without an application, or with one that is no plain text',
    (kind) => {
      const { blob, type } = makeSecurityKey(kind, '');
      const keyOnly = blob.subarray(0, -4);
      for (const application of ['', '\0', 'ssh:\x1b[2J', 'ssh:\u00e9', 'a'.repeat(256)]) {
        const hostile = Buffer.concat([keyOnly, field(application)]);
        expect(refusal(() => parsePublicKeyBlob(hostile))).toContain('its application is not');
      }
      expect(refusal(() => parsePublicKeyBlob(keyOnly))).toContain('cut short');
      const longer = Buffer.concat([keyOnly, field('ssh:'), Buffer.alloc(1)]);
      expect(refusal(() => parsePublicKeyBlob(longer))).toContain('something follows');
      const claimed = Buffer.concat([keyOnly, Buffer.from('7fffffff', 'hex'), Buffer.from('ssh:')]);
      expect(refusal(() => parsePublicKeyBlob(claimed))).toContain('cut short');
      const plain = type.replace(/^sk-|@.*$/g, '');
      expect(refusalOf(lineOf(plain, blob))).toContain('inside');
    },
  );

  it('is refused when its point is off the curve, or weak', () => {
    const { blob } = makeSecurityKey('ecdsa');
    const bent = Buffer.from(blob);
    const last = bent.length - 4 - 'ssh:'.length - 1;
    bent[last] = (bent[last] as number) ^ 1;
    expect(refusal(() => parsePublicKeyBlob(bent))).toContain('not on the curve');
    const weak = [field('sk-ssh-ed25519@openssh.com'), field(Buffer.alloc(32)), field('ssh:')];
    expect(refusal(() => parsePublicKeyBlob(Buffer.concat(weak)))).toContain('weak');
  });
});

describe('an ed25519 key of small order', () => {
  const p = 2n ** 255n - 19n;
  const little = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();

  it('is refused in every encoding, for it would accept forged signatures', () => {
    for (const y of [0n, 1n, p - 1n, p, p + 1n]) {
      const point = little(y);
      for (const sign of [0, 0x80]) {
        const signed = Buffer.from(point);
        signed[31] = (signed[31] as number) | sign;
        expect(refusal(() => parsePublicKeyBlob(ed25519(signed)))).toContain('weak');
      }
    }
  });

  it('is refused at order 8 as well, which doubles to a point of order 4', () => {
    const power = (base: bigint, exponent: bigint): bigint => {
      let result = 1n;
      for (let [b, e] = [base % p, exponent]; e > 0n; e >>= 1n, b = (b * b) % p)
        if (e & 1n) result = (result * b) % p;
      return result;
    };
    const d = (((-121665n * power(121666n, p - 2n)) % p) + p) % p;
    for (const hex of [
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    ]) {
      const y = BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
      // x² = (y²-1)/(dy²+1); doubling has y' = (y²+x²)/(2+x²-y²), and order 4 is y' = 0.
      const x2 = ((y * y - 1n + p) * power(d * y * y + 1n, p - 2n)) % p;
      expect((y * y + x2) % p).toBe(0n);
      expect(refusal(() => parsePublicKeyBlob(ed25519(Buffer.from(hex, 'hex'))))).toContain('weak');
    }
  });
});
