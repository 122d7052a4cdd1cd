import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createNodeFiles } from '../../../../../src/targets/container/sftp/node-files.ts';

const appending = {
  read: false,
  write: true,
  append: true,
  create: true,
  truncate: false,
  exclusive: false,
  permissions: undefined,
};

it('what is appended by writes under way together stands in the order they came, as a resumed upload needs it', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'postern-append-')), 'file');
  await writeFile(path, 'begun ');
  const file = await createNodeFiles('/').open(path, appending);
  const parts = Array.from({ length: 200 }, (_, n) => Buffer.alloc(n % 2 ? 300_000 : 3, String(n % 10)));
  await Promise.all(parts.map((part) => file.write(0, [part])));
  await file.close();
  const expected = Buffer.concat([Buffer.from('begun '), ...parts]);
  expect((await readFile(path)).equals(expected)).toBe(true);
});

it('large-folder: of a folder no more is held than was asked for, in the process that is all sessions of its user', async () => {
  const path = await mkdtemp(join(tmpdir(), 'postern-large-'));
  for (let n = 0; n < 1_500; n++) await writeFile(join(path, `f${n}`), '');
  const folder = await createNodeFiles('/').openFolder(path);
  const first = await folder.read();
  expect([first.length, first[0]?.name, first[1]?.name, folder.heldBytes]).toEqual([500, '.', '..', 0]);
  for (const name of await readdir(path)) await rm(join(path, name));
  // What it knew of the others it would tell now.
  expect(await folder.read()).toEqual([]);
  await folder.close();
});
