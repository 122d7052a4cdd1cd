/** Containers that are paused: nothing in them runs, and all goes on later. */
import type { EngineApi } from './engine-api.ts';

/** Never rejects; false where nobody knows. */
export const isPaused = (engine: Pick<EngineApi, 'inspect'>, id: string): Promise<boolean> =>
  engine.inspect(id).then(
    ({ State }) => State.Status === 'paused',
    () => false,
  );

/** Engines do not start what is paused. Throws what the engine does. */
export async function startOrUnpause(
  engine: Pick<EngineApi, 'start' | 'inspect' | 'unpause'>,
  id: string,
): Promise<void> {
  try {
    await engine.start(id);
  } catch (error) {
    if (!(await isPaused(engine, id))) throw error;
    await engine.unpause(id);
  }
}
