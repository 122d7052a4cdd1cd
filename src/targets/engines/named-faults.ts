/** The sentences of an engine's failures, with its name in them. */
import { GatewayError, isGatewayError } from '../../errors.ts';

export function named(error: GatewayError, engine: string | undefined): GatewayError {
  if (engine === undefined) return error;
  for (const code of ['engine-unavailable', 'engine-failed'] as const) {
    if (isGatewayError(error, code) && error.params.engine === undefined) {
      return new GatewayError(code, { ...error.params, engine }, { cause: error.cause ?? error });
    }
  }
  return error;
}

/** `work`, whose failures say which engine it was. */
export async function namedFaults<T>(engine: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isGatewayError(error) ? named(error, engine) : error;
  }
}
