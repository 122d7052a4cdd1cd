import type { GatewayError } from '../errors.ts';
import { commandStatus } from './error-answer.ts';

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
