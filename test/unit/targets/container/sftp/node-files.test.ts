import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
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
