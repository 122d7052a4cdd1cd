import { internalLabel } from '../../visibility.ts';
import type { EngineApi } from '../engine-api.ts';
import { removeOldImages } from './image.ts';
import { removeLeftPassages } from './remove-left-passages.ts';

const kinds: readonly (string | undefined)[] = ['sidecar', 'holder'];
/** Younger ones another gateway may be starting just now. */
const leftAfterMs = 60_000;

/**
 * Removes sidecars and holders that never started, or have ended, and old images; those that run belong to a gateway. The same of
 * passages on this machine.
 */
export async function removeLeftovers(engine: EngineApi): Promise<void> {
  await removeLeftPassages();
  const left = (await engine.list()).filter(
    ({ Labels, State, Created }) =>
      kinds.includes(Labels?.[internalLabel]) &&
      State !== 'running' &&
      Created * 1000 < Date.now() - leftAfterMs,
  );
  await Promise.all(left.map(({ Id }) => engine.remove(Id)));
  await removeOldImages(engine);
}
