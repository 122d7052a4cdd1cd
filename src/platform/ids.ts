import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** `length` characters of `[a-z2-7]`, five random bits each. */
export function randomId(length = 16): string {
  let id = '';
  for (const byte of randomBytes(length)) id += alphabet[byte & 31];
  return id;
}
