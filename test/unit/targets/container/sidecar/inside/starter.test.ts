/** A resident's starter, over processes of this machine. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { launchOf } from '../../../../../../src/targets/container/launch.ts';
import { createStarter } from '../../../../../../src/targets/container/sidecar/inside/starter.ts';

const order = (program: readonly string[]) => {
  const launch = launchOf({ shell: '/bin/sh', program, folders: ['/', '/'], pty: undefined });
  const waiting = launch.findWaiting('256');
  if (!waiting) throw new Error('nothing can wait for that');
  return {
    argv: launch.argvForResident('256'),
    env: ['PATH=/bin:/usr/bin'],
    cwd: '/',
    graceMs: 1_000,
    waiting,
  };
};

it('left-before-it-began: what nobody wants any more is told to no launcher that waits', async () => {
  const starter = createStarter({}, undefined);
  const file = join(mkdtempSync(join(tmpdir(), 'starter-')), 'ran');
  await starter.start(order(['true']), () => true);
  await pause(300);
  expect(await starter.start(order(['touch', file]), () => false)).toBe(undefined);
  await pause(300);
  expect(existsSync(file)).toBe(false);
  const wanted = await starter.start(order(['touch', file]), () => true);
  await new Promise((resolve) => wanted?.child.once('exit', resolve));
  expect(existsSync(file)).toBe(true);
  starter.end();
});
