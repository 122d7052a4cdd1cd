/** The table of README.md, from what the clients say and the matrix has checked. */
import { type Client, columns } from './client.ts';

const heads: Readonly<Partial<Record<(typeof columns)[number], string>>> = {
  exec: 'exec, status',
  '50 MB': '50 MB each way',
  files: 'sftp or scp',
  rekey: 'rekeys',
  rekeyed: 'is rekeyed',
  forward: '-L',
};

/** Markdown: ✓ for what works, a number for what the client itself cannot do, and what the numbers mean. */
export async function tableOf(clients: readonly Client[]): Promise<string> {
  const reasons: string[] = [];
  const numberOf = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return reasons.indexOf(reason) + 1;
  };
  const rows = [
    ['client', 'version', ...columns.map((column) => heads[column] ?? column)],
    ['---', '---', ...columns.map(() => ':-:')],
  ];
  for (const client of clients) {
    const cells = columns.map((column) => {
      const limit = client.limits[column];
      return limit === undefined ? '✓' : `[${numberOf(limit)}]`;
    });
    rows.push([client.name, await client.version(), ...cells]);
  }
  const lines = rows.map((row) => `| ${row.join(' | ')} |`);
  return [...lines, '', ...reasons.map((reason, index) => `[${index + 1}] ${reason}`.concat('  '))].join(
    '\n',
  );
}

/** Versions change with what Debian has; everything else of the table is a claim. */
export const withoutVersions = (table: string): string =>
  table
    .split('\n')
    .map((line) => line.replace(/^(\| [^|]+ \|)[^|]*\|/, '$1').trimEnd())
    .join('\n')
    .trim();
