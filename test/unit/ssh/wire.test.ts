import { describe, expect, it } from 'vitest';
import { mpint } from '../../../src/ssh/wire.ts';

describe('mpint', () => {
  // RFC 4251 §5's own examples, and what a shared secret may begin with.
  it.each([
    ['', '00000000'],
    ['0000', '00000000'],
    ['09a378f9b2e332a7', '0000000809a378f9b2e332a7'],
    ['80', '000000020080'],
    ['000080ff', '00000003' + '0080ff'],
    ['007f00', '000000027f00'],
  ])('of %j is %s', (bytes, encoded) => {
    expect(mpint(Buffer.from(bytes, 'hex')).toString('hex')).toBe(encoded);
  });
});
