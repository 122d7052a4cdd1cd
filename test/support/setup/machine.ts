/** Vitest's global set-up: makes the machine ready, once per run and before the first test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianPackages } from '../../../scripts/debian-packages.mjs';
import { loadHostKeys } from '../../../src/ssh/host-keys.ts';
import { removeContainersOf } from '../engine.ts';
import { ensureImages } from '../images.ts';
import { cacheFolder } from './cache-folder.ts';
import { dropForgottenDatabases, findPostgres } from './find-postgres.ts';
import { isRunning, withLock } from './lock.ts';
import { ensureNewerPackages } from './newer-packages.ts';
import { programs } from './programs.ts';
import { findEngine, startEngine } from './start-engine.ts';

/** Installs and starts what the tests need; tests find the engine by DOCKER_HOST, PostgreSQL by TEST_POSTGRES. */
export default async function makeMachineReady(): Promise<() => Promise<void>> {
  const run = String(process.pid);
  const { host, postgres } = await withLock(join(cacheFolder(), 'setup.lock'), async () => {
    ensureDebianPackages(programs, 'the tests need');
    ensureNewerPackages();
    const engine = (await findEngine()) ?? (await startEngine());
    await ensureImages(engine);
    return { host: engine, postgres: await findPostgres() };
  });
  process.env['DOCKER_HOST'] = host;
  process.env['TEST_POSTGRES'] = JSON.stringify(postgres);
  process.env['TEST_RUN_ID'] = run;
  // For the gateways that tests start as programs: other tests' containers are not theirs to keep in step.
  process.env['POSTERN_SYNC'] = 'off';
  // Every start of the program is as quick as its second: what Node compiled is kept, by content.
  process.env['NODE_COMPILE_CACHE'] ??= join(cacheFolder(), 'compiled');
  await dropForgottenDatabases(postgres);
  const hostKeys = await makeHostKeysOfRun();
  await removeContainersOf(host, (other) => !isRunning(Number(other) || undefined));
  return async () => {
    await rm(hostKeys, { recursive: true, force: true });
    await removeContainersOf(host, (other) => other === run);
  };
}

/** For the gateways in tests' own processes: an RSA key for each would take most of the time of their start. */
async function makeHostKeysOfRun(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-hostkeys-'));
  await loadHostKeys(folder);
  process.env['TEST_HOST_KEYS'] = folder;
  return folder;
}
