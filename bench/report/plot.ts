/** Tables as SVG: a line for each server where the cost's growth is the question, otherwise bars. */
import { drawBars } from './plot-bars.ts';
import { drawLines } from './plot-lines.ts';
import type { Table } from './table.ts';

export const plotOf = (table: Table): string =>
  table.along && new Set(table.rows.map(({ at }) => at)).size > 1 ? drawLines(table) : drawBars(table);
