import { takeRandom } from './random-stock.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** `length` characters of `[a-z2-7]`, five random bits each. */
export const randomId = (length = 16): string => idOf(takeRandom(length));

/** A character of `[a-z2-7]` for the lower five bits of each byte. */
export function idOf(bytes: Uint8Array): string {
  let id = '';
  for (const byte of bytes) id += alphabet[byte & 31];
  return id;
}
