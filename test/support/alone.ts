import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { withLock } from './setup/lock.ts';

/**
 * The tests of this file run while those of no other file do that call this with the same name: two gateways that keep
 * containers of one engine in step would undo each other's work.
 */
export function runAlone(name: string): void {
  const over = Promise.withResolvers<void>();
  beforeAll(
    () =>
      new Promise<void>((begin) => {
        void withLock(join(tmpdir(), `postern-test-${name}.lock`), async () => {
          begin();
          await over.promise;
        });
      }),
    600_000,
  );
  afterAll(() => over.resolve());
}
