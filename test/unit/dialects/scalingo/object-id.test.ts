import { describe, expect, it } from 'vitest';
import { formatObjectId, parseObjectId } from '../../../../src/dialects/scalingo/object-id.ts';
import { randomId } from '../../../../src/platform/ids.ts';

describe('an id as 24 hexadecimal digits', () => {
  it.each(['a'.repeat(16), '7'.repeat(16), `b${'a'.repeat(15)}`, `${'a'.repeat(15)}b`, randomId()])(
    '%s and back again',
    (id) => {
      const objectId = formatObjectId(id);
      expect(objectId).toMatch(/^[0-9a-f]{24}$/);
      expect(parseObjectId(objectId)).toBe(id);
    },
  );

  it('as Python counts it', () => {
    expect(formatObjectId('abcdefghijklmnop')).toBe('00443214c74254b635cf0000');
  });

  it.each([
    '',
    '54dcde4a54636101231a0001',
    '54DCDE4A54636101231A0000',
    '54dcde4a54636101231a00000',
    '__proto__',
  ])('%j is none', (text) => {
    expect(parseObjectId(text)).toBeUndefined();
  });
});
