import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/errors.ts';
import { parseExpiry } from '../../../src/keys/expiry.ts';

const now = Date.parse('2030-01-01T12:00:00Z');

describe('an expiry', () => {
  it.each([
    ['30d', '2030-01-31T12:00:00.000Z'],
    ['12h', '2030-01-02T00:00:00.000Z'],
    ['2w', '2030-01-15T12:00:00.000Z'],
    ['1y', '2031-01-01T12:00:00.000Z'],
    ['1Y', '2031-01-01T12:00:00.000Z'],
    ['2030-02-28', '2030-02-28T00:00:00.000Z'],
    ['2030-02-28T10:00Z', '2030-02-28T10:00:00.000Z'],
    ['2030-02-28T10:00:30+02:00', '2030-02-28T08:00:30.000Z'],
    ['never', undefined],
  ])('%s is %s', (text, expected) => {
    expect(parseExpiry(text, now)).toBe(expected);
  });

  it.each([
    ...[
      '',
      '0d',
      '-1d',
      '1.5d',
      '30',
      'd',
      '5m',
      '1e3d',
      '30 d',
      '2030-02-30',
      '2030-13-01',
      '2030-02-28T25:00Z',
    ],
    ...[
      '2030-02-28T10:00',
      '2029-12-31',
      '2030-01-01',
      '99999999y',
      '9999999999d',
      'now',
      '__proto__',
      '1d\x1b[2J',
    ],
  ])('%j is refused', (text) => {
    try {
      expect(parseExpiry(text, now)).toBe('refused');
    } catch (error) {
      if (!isGatewayError(error, 'usage')) throw error;
    }
  });
});
