import type { GatewayError } from '../errors.ts';

/** A failure of `POST /exec`, with the status that it is answered with there. */
export class ExecFailure extends Error {
  override readonly name = 'ExecFailure';
  readonly status: number;
  readonly failure: GatewayError;

  constructor(failure: GatewayError) {
    super(failure.code);
    this.status = commandStatus(failure);
    this.failure = failure;
  }
}

const ownStatuses: ReadonlySet<number> = new Set([400, 403, 413, 429, 500, 504]);

/**
 * The status of a command that failed: the command line is to blame (400), it may not be run (403), there is none
 * such (404), we are (500); else it ran and failed (422), whatever other doors would say.
 */
function commandStatus({ code, httpStatus }: GatewayError): number {
  if (code === 'unknown-command') return 404;
  return ownStatuses.has(httpStatus) ? httpStatus : 422;
}
