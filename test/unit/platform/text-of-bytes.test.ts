import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { bytesOfText, hasOtherBytes, textOfBytes } from '../../../src/platform/text-of-bytes.ts';

it('what is UTF-8 is that text', () => {
  for (const text of ['', 'ls', 'naïve 漢 😀', '\ufffd', '\x7f\x80']) {
    expect(textOfBytes(Buffer.from(text))).toBe(text);
    expect(hasOtherBytes(text)).toBe(false);
  }
});

it('whatever the bytes are, they come back', () => {
  // Too long for what they say, halves of pairs, cut off: what lax decoders take for characters.
  const odd = [
    'e9',
    'c3',
    'c0af',
    'eda080',
    'edb3a9',
    'f0908080e9',
    'f0908',
    'f4908080',
    'fffe00',
    '63c3a9e92e',
  ];
  const each = [
    ...odd.map((hex) => Buffer.from(hex, 'hex')),
    ...Array.from({ length: 200 }, () => randomBytes(40)),
  ];
  for (const bytes of each) {
    expect(bytesOfText(textOfBytes(bytes))).toEqual(bytes);
    expect(textOfBytes(bytes).toWellFormed()).not.toMatch(/[\ud800-\udfff]/u);
  }
});

it('text around them stays text', () => {
  expect(textOfBytes(Buffer.from('cat é\xe9', 'utf8'))).toBe('cat éé');
  expect(textOfBytes(Buffer.from('cat \xe9.txt', 'latin1'))).toBe('cat \udce9.txt');
});
