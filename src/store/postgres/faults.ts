/** What the driver throws, told apart and told to people. */
import { GatewayError } from '../../errors.ts';

/** What PostgreSQL said no to, by its code; undefined: it said nothing, or is going down. */
export function refusalOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return /^(08|57P|25P03)/.test(code) ? undefined : code;
}

/** In few words, for the sentence that a person gets. */
export function reasonOf(error: unknown): string {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'nothing listens where the database should';
  if (code === '57P03') return 'the database is starting or stopping';
  if (code === '25P03') return 'it took too long';
  if (refusalOf(error) !== undefined) return `the database refuses: ${message}`;
  if (/timeout/i.test(message)) return 'the database does not answer';
  return `the database cannot be reached: ${code ?? message}`;
}

/** For a transaction that is known not to have been made. */
export const notWritten = (cause: unknown): GatewayError =>
  cause instanceof GatewayError
    ? cause
    : new GatewayError('store-write-failed', { reason: reasonOf(cause) }, { cause });
