/** The clients that people have, against a real gateway: the table in README.md, cell by cell. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './clients/bench.ts';
import { answersKeepalive, checks } from './clients/checks.ts';
import { columns } from './clients/client.ts';
import { clients } from './clients/matrix.ts';
import { tableOf, withoutVersions } from './clients/table.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

describe.each(clients)('$name', (client) => {
  it.each(columns)('%s', async (column) => {
    const limit = client.limits[column];
    if (limit === undefined) return checks[column](client, bench);
    const ended = await checks[column](client, bench).then(
      () => 'works',
      () => 'as the table says',
    );
    expect(ended, `${client.name} is said to be limited in ${column}: ${limit}`).toBe('as the table says');
  });

  it.runIf(client.exec)('keepalive of the gateway is answered', () => answersKeepalive(client, bench));
});

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
