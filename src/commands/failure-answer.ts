/** Failures as HTTP answers, whatever API: `{"error":"sentence","code":"…"}` unless a dialect has its own words. */

import { GatewayError, isGatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import { sentenceOf } from './interpreter/run-line.ts';

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
  if (isGatewayError(failure, 'penalised')) return { 'retry-after': String(failure.params.seconds) };
  if (isGatewayError(failure, 'method-not-allowed')) return { allow: failure.params.allow };
  return failure.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {};
}

/** The longest body that any API takes. */
export const maxBodyBytes = 65_536;

/** What the HTTP framework itself refuses, by the status it would answer with; undefined for a fault of ours. */
export function findRequestFailure(
  { statusCode }: { readonly statusCode?: number | undefined },
  problem: string,
): GatewayError | undefined {
  if (statusCode === 413) return new GatewayError('body-too-large', { limit: maxBodyBytes });
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return new GatewayError('malformed-request', { problem });
}
