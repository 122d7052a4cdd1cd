/** Time-based codes, RFC 6238: SHA-1, six digits, steps of 30 s, as every authenticator app has them. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { HOTP, Secret, TOTP } from 'otpauth';

const digits = 6;
const stepMs = 30_000;
/** Clocks of phones differ: the step before and the one after count too (RFC 6238 §5.2). */
const driftSteps = 1;
/** RFC 4226 §4 recommends 160 bits. */
const secretBytes = 20;

export const stepAt = (nowMs: number): number => Math.floor(nowMs / stepMs);

/** A fresh secret, base32. */
export function makeSecret(): string {
  const bytes = randomBytes(secretBytes);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return new Secret({ buffer: buffer as ArrayBuffer }).base32;
}

export function codeAt(secret: string, step: number): string {
  return HOTP.generate({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits, counter: step });
}

/** The step that `code` is of, now or one step off; undefined for a wrong one. Takes the same time for both. */
export function findStep(secret: string, code: string, nowMs: number): number | undefined {
  const given = Buffer.alloc(digits);
  given.write(code, 'latin1');
  let found: number | undefined;
  for (let drift = -driftSteps; drift <= driftSteps; drift++) {
    const step = Math.max(0, stepAt(nowMs) + drift);
    const isSame = timingSafeEqual(given, Buffer.from(codeAt(secret, step), 'latin1'));
    if (isSame && code.length === digits) found = step;
  }
  return found;
}

/** What an authenticator app reads from the QR code. */
export function otpauthUrl(secret: string, { issuer, label }: { issuer: string; label: string }): string {
  return new TOTP({ issuer, label, secret, algorithm: 'SHA1', digits, period: stepMs / 1_000 }).toString();
}
