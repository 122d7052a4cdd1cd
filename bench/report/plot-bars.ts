/** Bars from the left, grouped by point; the thin line spans the quartiles. */
import { classesOf, frame, line, rectangle, text, width } from './svg.ts';
import { pointsOf, type Row, shown, spreadOf, type Table } from './table.ts';

const left = 250;
const right = 110;
const barHeight = 18;
const step = 25;
const gap = 14;
const top = 44;

export function drawBars(table: Table): string {
  const points = pointsOf(table);
  // Where all is nothing there is still a plot.
  const most = Math.max(...table.rows.map(({ samples }) => spreadOf(samples).upper)) || 1;
  const wide = (value: number) => Math.max(1, (value / most) * (width - left - right));
  const classes = classesOf(table);
  const parts: string[] = [];
  let y = top;
  for (const at of points) {
    if (points.length > 1) {
      parts.push(text(String(at), { x: 16, y: y + 14, kind: 'faint' }));
      y += step;
    }
    for (const row of table.rows.filter((each) => each.at === at)) {
      parts.push(...drawBar(row, y, { wide, kind: classes.get(row.name) as string, unit: table.unit }));
      y += step;
    }
    y += gap;
  }
  return frame(table, y, parts);
}

interface Drawing {
  readonly wide: (value: number) => number;
  readonly kind: string;
  readonly unit: string;
}

function drawBar({ name, samples }: Row, y: number, { wide, kind, unit }: Drawing): string[] {
  const { median, lower, upper } = spreadOf(samples);
  const middle = y + barHeight / 2;
  const own = name.startsWith('Postern') ? 'own' : '';
  return [
    text(name, { x: left - 10, y: middle + 5, anchor: 'end', kind: own }),
    rectangle(left, y, wide(median), barHeight, kind),
    line(left + wide(lower), middle, left + wide(upper), middle, 'grid thin'),
    text(`${shown(median)} ${unit}`, {
      x: left + Math.max(wide(median), wide(upper)) + 8,
      y: middle + 5,
      kind: own,
    }),
  ];
}
