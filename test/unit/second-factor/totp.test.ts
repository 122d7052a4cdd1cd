import { describe, expect, it } from 'vitest';
import { qrText } from '../../../src/second-factor/qr-text.ts';
import { codeAt, findStep, makeSecret, otpauthUrl, stepAt } from '../../../src/second-factor/totp.ts';

/** RFC 6238 appendix B: the ASCII bytes 12345678901234567890. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('codes', () => {
  it.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('RFC 6238 appendix B at %i s', (seconds, eightDigits) => {
    expect(codeAt(secret, stepAt(seconds * 1_000))).toBe(eightDigits.slice(2));
  });

  it('a clock one step off counts, two steps do not', () => {
    const now = 1_234_567_890_000;
    const step = stepAt(now);
    const found = [-2, -1, 0, 1, 2].map((drift) => findStep(secret, codeAt(secret, step + drift), now));
    expect(found).toEqual([undefined, step - 1, step, step + 1, undefined]);
  });

  it.each(['', '00000', '9428708', '94287082', 'abcdef', '😀😀😀', '\0\0\0\0\0\0', '287082 '])(
    'what is no code is wrong: %j',
    (text) => {
      expect(findStep(secret, text, 59_000)).toBeUndefined();
    },
  );
});

describe('secrets', () => {
  it('hold 160 bits, and are never the same', () => {
    const made = new Set(Array.from({ length: 100 }, makeSecret));
    expect(made.size).toBe(100);
    for (const each of made) expect(each).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('the otpauth URL carries what an app needs, escaped', () => {
    const url = new URL(otpauthUrl(secret, { issuer: 'gw & co', label: 'alice' }));
    expect(url.protocol).toBe('otpauth:');
    expect(url.searchParams.get('secret')).toBe(secret);
    expect(url.searchParams.get('issuer')).toBe('gw & co');
    expect(['algorithm', 'digits', 'period'].map((name) => url.searchParams.get(name))).toEqual([
      'SHA1',
      '6',
      '30',
    ]);
  });
});

describe('the QR code', () => {
  it('is drawn for a dark background, and inverted for a light one', () => {
    const dark = qrText('otpauth://totp/x', { invert: false });
    const light = qrText('otpauth://totp/x', { invert: true });
    expect(dark).toMatch(/^[█▀▄ \n]+$/);
    const rows = dark.split('\n');
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    // The quiet zone: light all round, but for the line that a last odd row leaves empty.
    expect(rows[0]).toMatch(/^█+$/);
    expect(light.split('\n')[0]).toMatch(/^ +$/);
    expect(light).toHaveLength(dark.length);
  });
});
