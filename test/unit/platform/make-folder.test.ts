import { mkdtemp, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../../src/platform/make-folder.ts';

const fresh = () => mkdtemp(join(tmpdir(), 'postern-folder-'));

it('makes a folder and those above it for the owner alone, by many at once too, and again', async () => {
  const folder = join(await fresh(), 'a/b/c');
  await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(join(folder, '../d'))]);
  await makeFolder(folder);
  for (const made of [folder, join(folder, '..'), join(folder, '../..')]) {
    expect((await stat(made)).mode & 0o777).toBe(0o700);
  }
});

it('throws where a file is in the way, and where no folder can be', async () => {
  const file = join(await fresh(), 'file');
  await writeFile(file, '');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(file, 'a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(makeFolder('/proc/nothing/here')).rejects.toMatchObject({ code: 'ENOENT' });
});
