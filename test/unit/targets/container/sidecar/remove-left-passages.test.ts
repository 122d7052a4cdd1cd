/** What gateways leave in the folder for temporary files when they are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeLeftPassages } from '../../../../../src/targets/container/sidecar/remove-left-passages.ts';

const listens = `require('net').createServer().listen(process.argv[1], () => console.log('listens'))`;

async function openPassage(parent: string, name: string) {
  await mkdir(join(parent, name, 'in'), { recursive: true });
  const child = spawn(process.execPath, ['-e', listens, join(parent, name, 'in', 'socket')]);
  await once(child.stdout, 'data');
  return child;
}

it('passages of killed processes go, and none of those that live, are young or are not its own', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'postern-passages-'));
  const killed = await openPassage(parent, 'postern-passage-killed');
  const alive = await openPassage(parent, 'postern-passage-alive');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  for (const name of ['postern-passage-theirs', 'another']) await mkdir(join(parent, name));
  await chown(join(parent, 'postern-passage-theirs'), 65_534, 65_534);
  await symlink('another', join(parent, 'postern-passage-link'));
  await removeLeftPassages(parent);
  expect(await readdir(parent)).toHaveLength(5);
  await removeLeftPassages(parent, 0);
  expect((await readdir(parent)).toSorted()).toEqual([
    'another',
    'postern-passage-alive',
    'postern-passage-link',
    'postern-passage-theirs',
  ]);
  alive.kill();
  await rm(parent, { recursive: true });
});
