/** The clients that people have, against a real gateway: the table in README.md, cell by cell. */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { clients, forFiles, programs } from './clients/matrix.ts';
import { tableOf, withoutVersions } from './clients/table.ts';
import { tryClients } from './clients/try-clients.ts';

// The libraries have a file of their own, so that both are tried at the same time.
tryClients([...programs, ...forFiles]);

it('the table in README.md is this one; to write it anew: POSTERN_WRITE_TABLE=1', async () => {
  const file = new URL('../../README.md', import.meta.url);
  const readme = await readFile(file, 'utf8');
  const [before, , after] = readme.split(/(?<=<!-- clients -->\n)([\s\S]*)(?=<!-- end of clients -->)/u);
  const table = await tableOf(clients);
  if (process.env['POSTERN_WRITE_TABLE']) await writeFile(file, `${before}${table}\n${after}`);
  const written =
    /<!-- clients -->\n([\s\S]*)<!-- end of clients -->/.exec(await readFile(file, 'utf8'))?.[1] ?? '';
  expect(withoutVersions(written), `README.md should have:\n${table}`).toBe(withoutVersions(table));
});
