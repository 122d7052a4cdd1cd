/** The tables as text for a terminal, and as a page with the plots beside them. */
import type { Judged } from './bars.ts';
import { findRow, pointsOf, type Row, shown, spreadOf, type Table } from './table.ts';

const referenceName = "OpenSSH's sshd";

/** Cells: the point, the server, the median, the quartiles, and its ratio to OpenSSH's. */
function cellsOf(table: Table, row: Row): readonly string[] {
  const { median, lower, upper } = spreadOf(row.samples);
  const theirs = findRow(table, referenceName, row.at);
  const reference = theirs && theirs !== row ? spreadOf(theirs.samples).median : 0;
  const ratio = reference > 0 ? `${shown(median / reference)} ×` : '';
  const spread = row.samples.length > 1 ? `${shown(lower)} – ${shown(upper)}` : 'once';
  return [String(row.at), row.name, `${shown(median)} ${table.unit}`, spread, ratio];
}

const headingOf = (table: Table) => [table.along ?? '', 'server', 'median', 'quartiles', 'of sshd’s'];

const sortedRows = (table: Table) =>
  pointsOf(table).flatMap((at) => table.rows.filter((row) => row.at === at));

export function textOf(table: Table): string {
  const lines = [headingOf(table), ...sortedRows(table).map((row) => cellsOf(table, row))];
  const widths = headingOf(table).map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  const drawn = lines.map((cells) =>
    cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  '),
  );
  return [`\n${table.title}`, ...drawn.map((line) => `  ${line.trimEnd()}`)].join('\n');
}

const markdownRow = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function markdownOf(table: Table, plot: string | undefined): string {
  return [
    `## ${table.title}`,
    '',
    ...(plot ? [`![${table.title}](${plot})`, ''] : []),
    table.method,
    '',
    markdownRow(headingOf(table)),
    '|---|---|--:|--:|--:|',
    ...sortedRows(table).map((row) => markdownRow(cellsOf(table, row))),
    '',
  ].join('\n');
}

export interface Machine {
  readonly facts: readonly string[];
  readonly versions: ReadonlyMap<string, string>;
}

export interface Page {
  readonly command: string;
  readonly rounds: number;
  readonly machine: Machine;
  readonly judged: readonly Judged[];
  readonly tables: readonly Table[];
  /** Of each table's id: the file, beside the page. */
  readonly plots: ReadonlyMap<string, string>;
}

export const barsText = (judged: readonly Judged[]) =>
  judged.map(
    ({ claim, bar, figure, kept }) =>
      `  ${claim.padEnd(56)} ${shown(figure).padStart(8)}  ${bar.padEnd(8)} ${kept ? 'kept' : 'MISSED'}`,
  );

export function pageOf({ command, rounds, machine, judged, tables, plots }: Page): string {
  return [
    '# Results',
    '',
    `Written by \`${command}\`: ${rounds} rounds, in turns (A B A B …), after one that is not counted. Medians; the quartiles say how`,
    'far a figure can be trusted. Everything ran on one machine, clients too, so ratios carry over and figures do not.',
    '',
    ...machine.facts.map((fact) => `- ${fact}`),
    '',
    markdownRow(['program', 'version']),
    '|---|---|',
    ...[...machine.versions].map((entry) => markdownRow(entry)),
    '',
    ...(judged.length > 0
      ? [
          '## Bars',
          '',
          markdownRow(['what', 'figure', 'bar', '']),
          '|---|--:|---|---|',
          ...judged.map(({ claim, bar, figure, kept }) =>
            markdownRow([claim, shown(figure), bar, kept ? 'kept' : '**missed**']),
          ),
          '',
        ]
      : []),
    ...tables.map((table) => markdownOf(table, plots.get(table.id))),
  ].join('\n');
}
