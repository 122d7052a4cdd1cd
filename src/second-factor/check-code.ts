/** Whether a code is right, and what the row becomes by that. Pure: the caller writes the row in one transaction. */
import type { SecondFactorRow } from '../store/schema.ts';
import { findRecoveryCode } from './recovery-codes.ts';
import { findStep } from './totp.ts';

export type CodeOutcome = 'right' | 'wrong' | { readonly lockedUntil: string };

/** So many wrong codes in a row lock the factor: for a minute, then four times as long each time, a day at most. */
const wrongCodesPerLock = 5;
const firstLockMs = 60_000;
const lockGrowth = 4;
const longestLockMs = 86_400_000;

const longestCode = 64;

/** A code is taken once: its step, and all before it, count no more; a recovery code is gone. */
export function checkCode(
  row: SecondFactorRow,
  typed: string,
  nowMs: number,
): { readonly outcome: CodeOutcome; readonly row: SecondFactorRow } {
  const { lockedUntil, ...open } = row;
  if (lockedUntil !== undefined && Date.parse(lockedUntil) > nowMs) return { outcome: { lockedUntil }, row };
  const code = plainCode(typed);
  const step = findStep(row.secret, code, nowMs);
  if (step !== undefined && step > row.lastStep) {
    return { outcome: 'right', row: { ...open, lastStep: step, wrongCodes: 0 } };
  }
  const used = findRecoveryCode(row.recoveryCodes, code);
  if (used !== undefined) {
    const recoveryCodes = row.recoveryCodes.filter((hash) => hash !== used);
    return { outcome: 'right', row: { ...open, recoveryCodes, wrongCodes: 0 } };
  }
  return { outcome: 'wrong', row: withWrongCode(open, nowMs) };
}

/** Apps show `123 456`; people copy recovery codes with or without hyphens, in either case. */
const plainCode = (typed: string) =>
  typed.length > longestCode ? '' : typed.replace(/[\s-]/g, '').toLowerCase();

function withWrongCode(row: SecondFactorRow, nowMs: number): SecondFactorRow {
  const wrongCodes = row.wrongCodes + 1;
  if (wrongCodes % wrongCodesPerLock !== 0) return { ...row, wrongCodes };
  const lockMs = Math.min(longestLockMs, firstLockMs * lockGrowth ** (wrongCodes / wrongCodesPerLock - 1));
  return { ...row, wrongCodes, lockedUntil: new Date(nowMs + lockMs).toISOString() };
}
