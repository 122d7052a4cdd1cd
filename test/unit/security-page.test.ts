/** SECURITY.md names attacks and the tests that make them: each is there under that name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');
const rows = [...page.matchAll(/^\| (.+) \| `(test\/[\w/.-]+\.test\.ts)`: (.+) \|$/gm)].map(
  ([, attack, file, test]) => [attack, file, test] as [string, string, string],
);

describe('the attacks of SECURITY.md', () => {
  it('are all read', () => {
    const [, table = ''] = page.split('## Attacks');
    expect(rows.length).toBe(table.split('\n').filter((line) => line.startsWith('| ')).length - 1);
    expect(rows.length).toBeGreaterThan(25);
  });

  it.each(rows)('%s: %s has its test', (_attack, file, test) => {
    const titles = [...readFileSync(join(root, file), 'utf8').matchAll(/(['"`])((?:(?!\1).)*)\1/g)];
    expect(titles.some(([, , title]) => title?.includes(test))).toBe(true);
  });
});
