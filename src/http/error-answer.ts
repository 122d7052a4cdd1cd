/** Failures as HTTP answers: `{"error":"sentence","code":"…"}`. */
import { sentenceOf } from '../commands/interpreter/run-line.ts';
import { type GatewayError, isGatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';

export interface ErrorBody {
  readonly error: string;
  readonly code: string;
}

export const errorBody = (failure: GatewayError): ErrorBody => ({
  error: printable(sentenceOf(failure)),
  code: failure.code,
});

/** Headers that go with a failure. */
export function errorHeaders(failure: GatewayError): Readonly<Record<string, string>> {
  if (isGatewayError(failure, 'rate-limited')) return { 'retry-after': String(failure.params.seconds) };
  return headersOf.get(failure.code) ?? {};
}

const headersOf: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map<
  string,
  Readonly<Record<string, string>>
>([
  ['unauthorized', { 'www-authenticate': 'Bearer' }],
  ['method-not-allowed', { allow: 'POST' }],
]);

const ownStatuses: ReadonlySet<number> = new Set([400, 403, 413, 429, 500, 504]);

/**
 * The status of a command that failed: the command line is to blame (400), it may not be run (403), there is none
 * such (404), we are (500); else it ran and failed (422), whatever other doors would say.
 */
export function commandStatus({ code, httpStatus }: GatewayError): number {
  if (code === 'unknown-command') return 404;
  return ownStatuses.has(httpStatus) ? httpStatus : 422;
}
