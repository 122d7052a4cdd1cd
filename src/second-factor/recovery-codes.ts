/** Codes for whoever lost their phone: 80 random bits each, so a plain hash keeps them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { randomId } from '../platform/ids.ts';

const count = 10;

/** `abcd-efgh-ijkl-mnop`. */
export function makeRecoveryCodes(): readonly string[] {
  return Array.from({ length: count }, () => randomId(16).replace(/(.{4})(?!$)/g, '$1-'));
}

/** SHA-256, hex, of a code without its hyphens. */
export const hashRecoveryCode = (code: string): string =>
  createHash('sha256').update(code.replaceAll('-', '')).digest('hex');

/** Which of `hashes` is of `code`. */
export function findRecoveryCode(hashes: readonly string[], code: string): string | undefined {
  const wanted = Buffer.from(hashRecoveryCode(code), 'hex');
  let found: string | undefined;
  for (const hash of hashes) {
    const kept = Buffer.from(hash, 'hex');
    if (kept.length === wanted.length && timingSafeEqual(kept, wanted)) found = hash;
  }
  return found;
}
