/**
 * What frames hold: JSON-RPC 2.0 without its member `jsonrpc` and without batches. A request has a method and an id, its
 * answer the same id, a notification a method alone.
 */
import { GatewayError, isGatewayError } from '../errors.ts';
import { type ErrorCode, errorTable } from '../errors-table.ts';

export type Message =
  | RequestMessage
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError };

export interface RequestMessage {
  readonly kind: 'request';
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** Its answer may be longer than a frame usually is. */
  readonly large: boolean;
}

/** An error on its way. `code` and `params` are a GatewayError's; `message` is for whoever does not know the code. */
export interface WireError {
  readonly code?: string;
  readonly params?: unknown;
  readonly message: string;
}

/** Undefined: it is none. */
export function parseMessage(text: string): Message | undefined {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, method, params, large, result, error } = value as Record<string, unknown>;
  const numbered = typeof id === 'number' && Number.isSafeInteger(id);
  if (typeof method === 'string') {
    if (numbered) return { kind: 'request', id, method, params, large: large === true };
    return id === undefined ? { kind: 'notification', method, params } : undefined;
  }
  if (!numbered || method !== undefined) return undefined;
  if (error === undefined) return { kind: 'answer', id, result };
  return isWireError(error) ? { kind: 'failure', id, error } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' && value !== null && typeof (value as WireError).message === 'string';

/** What an error is to another process. Causes, stacks and the words of errors that nobody expected stay here. */
export function wireError(error: unknown): WireError {
  if (!isGatewayError(error)) return { message: 'an internal error' };
  return { code: error.code, params: error.params, message: error.message };
}

/** The other way. A code that this version does not know becomes a plain error with its sentence. */
export function errorFromWire({ code, params, message }: WireError, method: string): Error {
  if (code !== undefined && Object.hasOwn(errorTable, code)) {
    try {
      return new GatewayError(code as ErrorCode, (params ?? {}) as never);
    } catch {
      // Its sentence is made of other parameters in this version.
    }
  }
  return new Error(`${method} failed in another process of the gateway: ${message}`);
}
