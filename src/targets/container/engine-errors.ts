/** Turns what the client library throws into the sentences of the errors table. */
import { GatewayError } from '../../errors.ts';
import { printable } from '../../platform/printable.ts';

const reasons = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOENT', 'its socket does not exist'],
  ['EACCES', 'permission denied on its socket'],
  ['EPERM', 'permission denied on its socket'],
  ['ECONNRESET', 'it closed the connection'],
  ['EPIPE', 'it closed the connection'],
  ['ENOTFOUND', 'its host name is unknown'],
  ['EAI_AGAIN', 'its host name cannot be resolved'],
  ['EHOSTUNREACH', 'its host is unreachable'],
  ['ENETUNREACH', 'its network is unreachable'],
  ['ETIMEDOUT', 'no answer'],
  ['ABORT_ERR', 'no answer in time'],
]);

const maxReasonLength = 300;

interface EngineFailure {
  readonly statusCode?: number;
  readonly code?: unknown;
  readonly message?: string;
  readonly json?: unknown;
}

/** The HTTP status the engine answered with, if it answered. */
export function engineStatus(error: unknown): number | undefined {
  return (error as EngineFailure | undefined)?.statusCode;
}

/** A short, printable form of text that came from the engine or from inside a container. */
export function shortReason(text: string): string {
  const line = printable(text.trim().replace(/\s*[\r\n]+\s*/g, '; '));
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength)}…` : line;
}

/** `engine-unavailable` where the engine did not answer, `engine-failed` with its words where it refused. */
export function translateEngineError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const failure = (error ?? {}) as EngineFailure;
  if (failure.statusCode === undefined) {
    const reason = reasons.get(String(failure.code)) ?? reasons.get(nameCode(error)) ?? 'it does not answer';
    return new GatewayError('engine-unavailable', { reason }, { cause: error });
  }
  return new GatewayError('engine-failed', { reason: shortReason(engineWords(failure)) }, { cause: error });
}

function nameCode(error: unknown): string {
  const name = (error as Error | undefined)?.name;
  return name === 'AbortError' || name === 'TimeoutError' ? 'ABORT_ERR' : '';
}

function engineWords(failure: EngineFailure): string {
  const body = failure.json as { message?: unknown } | null | undefined;
  if (typeof body?.message === 'string') return body.message;
  return failure.message ?? `status ${failure.statusCode}`;
}
