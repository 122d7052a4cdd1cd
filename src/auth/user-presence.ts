import type { SecurityKeyStatement } from '../keys/verify-signature.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import type { Refusal } from './authenticator.ts';

/** What a security key must have seen before its signature counts; other keys see nothing. */
export function findPresenceFault(
  seen: SecurityKeyStatement | undefined,
  { noTouchRequired, verifyRequired }: KeyRestrictions,
): Refusal | undefined {
  if (!seen) return undefined;
  if (!seen.userPresent && noTouchRequired !== true) {
    return { refused: 'user presence', detail: 'this security key must be touched when it signs' };
  }
  if (!seen.userVerified && verifyRequired === true) {
    const detail =
      'this security key must ask for your PIN or finger when it signs: make it with "ssh-keygen -O verify-required"';
    return { refused: 'user verification', detail };
  }
  return undefined;
}
