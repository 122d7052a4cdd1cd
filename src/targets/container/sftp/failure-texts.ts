/** What programs say on stderr, as one of the few statuses that SFTP version 3 has. */
import { printable } from '../../../platform/printable.ts';
import { type FailureKind, FileFailure } from './file-operations.ts';

/** glibc, musl and the shells' own words; the reason stands at the end, behind names that may hold anything. */
const kinds: readonly (readonly [RegExp, FailureKind])[] = [
  [/(no such file( or directory)?|directory nonexistent|nonexistent directory)$/i, 'no-such-file'],
  [/(permission denied|operation not permitted|read-only file system)$/i, 'permission-denied'],
  [/(not found|function not implemented|operation not supported|not supported)$/i, 'unsupported'],
];
const maxReasonLength = 120;

export function failureFrom(errorText: string): FileFailure {
  const lines = errorText.trimEnd().split('\n');
  // dd counts its records after the error.
  const told = lines.filter((line) => !/^\d+\+\d+ records|^\d+ bytes/.test(line)).at(-1) ?? '';
  const reason = printable(told.slice(told.lastIndexOf(': ') + 1).trim()).slice(-maxReasonLength);
  const kind = kinds.find(([pattern]) => pattern.test(reason))?.[1] ?? 'failure';
  return new FileFailure(kind, reason || 'Failure');
}
