/** A busybox container to measure against, on the engine that the tests use too. */
import { execFileSync } from 'node:child_process';
import { randomId } from '../../src/platform/ids.ts';
import { runLabel } from '../../test/support/engine.ts';
import { ensureImages } from '../../test/support/images.ts';

export interface BenchContainer {
  readonly name: string;
  readonly remove: () => void;
}

export async function startBenchContainer(image = 'postern-test/busybox:latest'): Promise<BenchContainer> {
  await ensureImages();
  const name = `bench-${randomId(6)}`;
  execFileSync('docker', [
    'run',
    '-d',
    '--name',
    name,
    '--label',
    'postern.test=1',
    '--label',
    `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`,
    image,
    '/bin/sleep',
    '100000',
  ]);
  return { name, remove: () => execFileSync('docker', ['rm', '-f', name]) };
}
