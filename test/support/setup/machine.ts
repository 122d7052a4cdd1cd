/** Vitest's global set-up: makes the machine ready, once per run and before the first test. */
import { join } from 'node:path';
import { ensureDebianPackages } from '../../../scripts/debian-packages.mjs';
import { removeContainersOf } from '../engine.ts';
import { ensureImages } from '../images.ts';
import { cacheFolder } from './cache-folder.ts';
import { isRunning, withLock } from './lock.ts';
import { ensureNewerPackages } from './newer-packages.ts';
import { programs } from './programs.ts';
import { findEngine, startEngine } from './start-engine.ts';

/** Installs and starts what the tests need; tests find the engine by DOCKER_HOST. */
export default async function makeMachineReady(): Promise<() => Promise<void>> {
  const run = String(process.pid);
  const host = await withLock(join(cacheFolder(), 'setup.lock'), async () => {
    ensureDebianPackages(programs, 'the tests need');
    ensureNewerPackages();
    const engine = (await findEngine()) ?? (await startEngine());
    await ensureImages(engine);
    return engine;
  });
  process.env['DOCKER_HOST'] = host;
  process.env['TEST_RUN_ID'] = run;
  // For the gateways that tests start as programs: other tests' containers are not theirs to keep in step.
  process.env['POSTERN_SYNC'] = 'off';
  await removeContainersOf(host, (other) => !isRunning(Number(other) || undefined));
  return () => removeContainersOf(host, (other) => other === run);
}
