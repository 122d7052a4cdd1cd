/** Tables for people: columns by blanks, no borders, no colours, no control characters from data. */
import Table from 'cli-table3';
import { printable } from '../../platform/printable.ts';

const noLines = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((name) => [name, '']),
);

/** One line a row, without blanks at the ends of lines and without a trailing newline. */
export function textTable(head: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [], compact: true },
  });
  for (const row of head ? [head, ...rows] : rows) table.push(row.map((cell) => printable(cell)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
