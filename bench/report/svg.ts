/** What both kinds of plots share: colours that can be read on light and on dark, text, the frame. */
import { namesOf, type Table } from './table.ts';

export const width = 760;

/** On light, and on dark. Postern's own stands out; the others can be told apart by who sees no red or green, too. */
const colours: readonly (readonly [light: string, dark: string])[] = [
  ['#b3541e', '#f0a06a'],
  ['#8e4a86', '#d79bd0'],
  ['#1f7a5c', '#5cc7a2'],
  ['#8a6d00', '#d9bd4e'],
  ['#5f6670', '#a6aeb9'],
];
const ours: readonly (readonly [light: string, dark: string])[] = [
  ['#1a5fb4', '#78aeff'],
  ['#4f8fdd', '#4a8df0'],
];

/** A class for each server, always the same. */
export function classesOf(table: Table): Map<string, string> {
  const names = namesOf(table);
  const own = names.filter((name) => name.startsWith('Postern'));
  const known = ["OpenSSH's sshd", 'dropbear', 'tinysshd', 'asyncssh', 'Go (gliderlabs/ssh)'];
  const classOf = (name: string) => {
    if (own.includes(name)) return `o${Math.min(own.indexOf(name), ours.length - 1)}`;
    return `c${known.includes(name) ? known.indexOf(name) : colours.length - 1}`;
  };
  return new Map(names.map((name) => [name, classOf(name)]));
}

const paint = (side: 0 | 1) =>
  [
    ...colours.map((pair, index) => [`c${index}`, pair[side]]),
    ...ours.map((pair, index) => [`o${index}`, pair[side]]),
  ]
    .map(([name, colour]) => `.${name}{fill:${colour};stroke:${colour}}`)
    .join('');

const style = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#24292f;stroke:none}
.title{font-size:16px;font-weight:600}.faint{fill:#57606a}.own{font-weight:600}
.grid{stroke:#d0d7de;stroke-width:1}.line{fill:none;stroke-width:2.5;stroke-linejoin:round}.thin{stroke-width:1.5}.leader{stroke-width:1;stroke-dasharray:1 3}
${paint(0)}.line{fill:none}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#9aa4af}.grid{stroke:#3d444d}${paint(1)}.line{fill:none}}`;

export const escaped = (text: string) =>
  text.replace(
    /[&<>"]/g,
    (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] as string,
  );

export interface Text {
  readonly x: number;
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly kind?: string;
}

const rounded = (value: number) => Number(value.toFixed(1));

export const text = (words: string, { x, y, anchor = 'start', kind = '' }: Text) =>
  `<text x="${rounded(x)}" y="${rounded(y)}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${escaped(words)}</text>`;

export const line = (x1: number, y1: number, x2: number, y2: number, kind: string) =>
  `<line x1="${rounded(x1)}" y1="${rounded(y1)}" x2="${rounded(x2)}" y2="${rounded(y2)}" class="${kind}"/>`;

export const rectangle = (x: number, y: number, wide: number, high: number, kind: string) =>
  `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(wide)}" height="${rounded(high)}" rx="2" class="${kind}"/>`;

/** The title is told in words, too, for whoever hears it. */
export function frame(table: Table, height: number, parts: readonly string[]): string {
  const better = `${table.unit} · ${table.better} is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(table.title)}">`,
    `<style>${style}</style>`,
    text(table.title, { x: 16, y: 26, kind: 'title' }),
    text(better, { x: width - 16, y: 26, anchor: 'end', kind: 'faint' }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}
