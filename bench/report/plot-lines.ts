/** How a cost grows: one line for each server through its medians, with its name at the end and the quartiles across. */
import { classesOf, escaped, frame, line, text, width } from './svg.ts';
import { namesOf, pointsOf, spreadOf, type Table } from './table.ts';

const height = 340;
const plot = { left: 72, right: width - 190, top: 56, bottom: height - 52 };

interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Logarithmic where the largest is many times the smallest, otherwise from nothing. */
function scaleOf(values: readonly number[], from: number, to: number, manyTimes: number): Scale {
  const positive = values.filter((value) => value > 0);
  const most = Math.max(...positive, Number.MIN_VALUE);
  const least = Math.min(...positive, most);
  if (most / least >= manyTimes) {
    const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
    const place = (value: number) =>
      from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from);
    return { place, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
  }
  const step = most > Number.MIN_VALUE ? niceStep(most / 4) : 1;
  const ticks = Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
  const top = ticks.at(-1) as number;
  return { place: (value) => from + (value / top) * (to - from), ticks };
}

/** 1, 2 or 5 of some power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number);
}

/** Labels keep their order and do not cover each other. */
function spreadOut(wanted: readonly number[], apart: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const places = [...wanted];
  order.slice(1).forEach((index, before) => {
    const above = places[order[before] as number] as number;
    places[index] = Math.max(places[index] as number, above + apart);
  });
  const over = Math.max(0, ...places.map((place) => place - (plot.bottom + 6)));
  return places.map((place) => place - over);
}

export function drawLines(table: Table): string {
  const points = pointsOf(table).map(Number);
  const spreads = table.rows.map(({ samples }) => spreadOf(samples));
  const xs = scaleOf(points, plot.left + 12, plot.right - 8, 8);
  const ys = scaleOf(
    spreads.flatMap(({ lower, upper }) => [lower, upper]),
    plot.bottom,
    plot.top,
    25,
  );
  const classes = classesOf(table);
  const drawn = namesOf(table).map((name) => {
    const own = table.rows.filter((row) => row.name === name);
    const places = own.map(({ at, samples }) => {
      const { median, lower, upper } = spreadOf(samples);
      return { x: xs.place(Number(at)), y: ys.place(median), from: ys.place(lower), to: ys.place(upper) };
    });
    return { name, kind: classes.get(name) as string, places };
  });
  const labels = spreadOut(
    drawn.map(({ places }) => places.at(-1)?.y ?? 0),
    17,
  );
  return frame(table, height, [
    ...ys.ticks.flatMap((tick) => [
      line(plot.left, ys.place(tick), plot.right, ys.place(tick), 'grid'),
      text(tick.toLocaleString('en', { maximumSignificantDigits: 3 }), {
        x: plot.left - 8,
        y: ys.place(tick) + 4,
        anchor: 'end',
        kind: 'faint',
      }),
    ]),
    ...points.map((point) =>
      text(point.toLocaleString('en'), {
        x: xs.place(point),
        y: plot.bottom + 20,
        anchor: 'middle',
        kind: 'faint',
      }),
    ),
    text(table.along ?? '', {
      x: (plot.left + plot.right) / 2,
      y: height - 10,
      anchor: 'middle',
      kind: 'faint',
    }),
    ...drawn.flatMap(({ name, kind, places }, index) => [
      `<polyline class="line ${kind}" points="${places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"><title>${escaped(name)}</title></polyline>`,
      ...places.flatMap(({ x, y, from, to }) => [
        line(x, from, x, to, `thin ${kind}`),
        `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" class="${kind}"/>`,
      ]),
      ...label(name, kind, places.at(-1), labels[index] as number),
    ]),
  ]);
}

/** With a thin line to it where the last point lies elsewhere: some servers stop earlier. */
function label(name: string, kind: string, end: { x: number; y: number } | undefined, y: number): string[] {
  if (!end) return [];
  const x = plot.right + 14;
  const own = name.startsWith('Postern') ? 'own' : '';
  return [line(end.x + 5, end.y, x - 3, y, `${kind} leader`), text(name, { x, y: y + 4, kind: own })];
}
