/**
 * Every failure a person or program can meet: one class, one table. `errors-table.ts` holds, for each
 * code, the sentence (what is wrong and what to do), the exit status over SSH and the HTTP status.
 */
import { type ErrorCode, type ErrorParams, errorTable } from './errors-table.ts';

export type { ErrorCode } from './errors-table.ts';

/** An expected failure. `message` is safe to show to the person; `cause` goes to the log only. */
export class GatewayError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'GatewayError';
  readonly code: Code;
  readonly exitStatus: number;
  readonly httpStatus: number;
  readonly #params: ErrorParams<Code>;

  constructor(code: Code, params: ErrorParams<Code>, options?: { cause?: unknown }) {
    const row = errorTable[code];
    super((row.sentence as (params: ErrorParams<Code>) => string)(params), options);
    this.code = code;
    this.exitStatus = row.exitStatus;
    this.httpStatus = row.httpStatus;
    this.#params = params;
  }

  /** What the sentence was made of. Not enumerable: it goes to no log. */
  get params(): ErrorParams<Code> {
    return this.#params;
  }
}

export function isGatewayError<Code extends ErrorCode>(
  error: unknown,
  code?: Code,
): error is GatewayError<Code> {
  return error instanceof GatewayError && (code === undefined || error.code === code);
}
