/** A resident makes sockets for its user alone, and files as they were asked for, at the same time. */
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createNodeFiles } from '../../../../../../src/targets/container/sftp/node-files.ts';
import { bindSocket } from '../../../../../../src/targets/container/sidecar/inside/sockets.ts';
import { makeUnmasked, withUmask } from '../../../../../../src/targets/container/sidecar/inside/umask.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

it('a mask for a moment waits for what is being made, and what is to be made waits for that', async () => {
  const order: string[] = [];
  const slow = Promise.withResolvers<void>();
  const making = makeUnmasked(() => slow.promise.then(() => order.push('made')));
  await Promise.resolve();
  const masked = withUmask(0o177, async () => order.push(`masked by ${process.umask().toString(8)}`));
  const later = makeUnmasked(async () => order.push(`made under ${process.umask().toString(8)}`));
  const before = process.umask().toString(8);
  slow.resolve();
  await Promise.all([making, masked, later]);
  expect(order).toEqual(['made', 'masked by 177', `made under ${before}`]);
});

it('what hangs holds up nobody for good', async () => {
  const hung = Promise.withResolvers<void>();
  const making = makeUnmasked(() => hung.promise);
  await Promise.resolve();
  expect(await withUmask(0o177, async () => 'bound')).toBe('bound');
  hung.resolve();
  await making;
});

it('hundreds of sockets made beside an upload leave no folder that its user cannot enter', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-umask-'));
  const files = createNodeFiles('/');
  let isOver = false;
  const upload = async (name: string) => {
    const paths: string[] = [];
    while (!isOver) {
      paths.push(join(folder, `${name}${paths.length}`));
      await files.makeFolder(paths.at(-1) as string, 0o700);
    }
    return paths;
  };
  const uploads = ['a', 'b', 'c'].map(upload);
  for (let n = 0; n < 500; n++) {
    const close = await bindSocket(join(folder, 'socket'), () => {});
    expect(await modeOf(join(folder, 'socket'))).toBe(0o600);
    close();
  }
  isOver = true;
  const modes = await Promise.all((await Promise.all(uploads)).flat().map(modeOf));
  expect(new Set(modes)).toEqual(new Set([0o700]));
});
