/** What was measured, as tables: a row for each server and point, with every round's sample. */

export interface Table {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** What `at` of the rows is, where the cost's growth with it is the question; a plot is drawn of numbers. */
  readonly along?: string;
  /** How it was measured, where the title does not say. */
  readonly method: string;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  readonly at: string | number;
  readonly samples: readonly number[];
}

export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Median and quartiles, between samples by interpolation. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) };
}

/** `sorted` ascending and not empty. */
export function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function findRow(table: Table, name: string, at?: string | number): Row | undefined {
  return table.rows.find((row) => row.name === name && (at === undefined || row.at === at));
}

/** The points of a table in the order in which they came. */
export const pointsOf = ({ rows }: Table) => [...new Set(rows.map(({ at }) => at))];

/** The servers of a table in the order in which they came. */
export const namesOf = ({ rows }: Table) => [...new Set(rows.map(({ name }) => name))];

/** Three digits, which is more than most spreads allow. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return digits === 0 ? Math.round(value).toLocaleString('en') : value.toFixed(Math.min(digits, 3));
}
