/** The engine's API, with somebody told how long each call took and why it failed. */
import { isGatewayError } from '../../errors.ts';
import type { Meter } from '../../metrics/meter.ts';
import type { EngineApi } from './engine-api.ts';
import { engineStatus } from './engine-errors.ts';

export function measuredApi(api: EngineApi, meter: Pick<Meter, 'engineCalled'>): EngineApi {
  const { close, ...calls } = api;
  const measured = Object.entries(calls).map(([operation, call]) => [
    operation,
    async (...args: unknown[]) => {
      const startedAtMs = performance.now();
      const told = (failure?: string) =>
        meter.engineCalled(operation, (performance.now() - startedAtMs) / 1000, failure);
      try {
        const answer = await (call as (...args: unknown[]) => Promise<unknown>)(...args);
        told();
        return answer;
      } catch (error) {
        told(failureOf(error));
        throw error;
      }
    },
  ]);
  return { ...(Object.fromEntries(measured) as Omit<EngineApi, 'close'>), close };
}

/** The engine's status, or the code of ours where it gave none. */
function failureOf(error: unknown): string {
  const status = engineStatus(error);
  if (status !== undefined) return `status_${status}`;
  return isGatewayError(error) ? error.code.replaceAll('-', '_') : 'other';
}
