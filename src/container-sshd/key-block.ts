/** The gateway's own part of an authorized_keys file: a block between two comments. Other lines are nobody's to touch. Pure. */

export const blockBegin = '# postern begin: kept by the gateway, changed at every sync';
export const blockEnd = '# postern end';

export interface KeyFile {
  /** All that is not ours, with the lines' ends. */
  readonly others: readonly string[];
  /** Our lines, markers left out; also those of a second block: a copy's keys would outlive their removal. */
  readonly ours: readonly string[];
  /** How many of the others come before our block. */
  readonly position: number;
}

/** `text` is latin1: bytes stay what they are. Undefined when a block has no end, for then nobody knows what is ours. */
export function parseKeyFile(text: string): KeyFile | undefined {
  const others: string[] = [];
  const ours: string[] = [];
  let position: number | undefined;
  let isInside = false;
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const marker = line.trimEnd();
    if (isInside) {
      if (marker === blockEnd) isInside = false;
      else ours.push(line);
    } else if (marker === blockBegin) {
      isInside = true;
      position ??= others.length;
    } else others.push(line);
  }
  return isInside ? undefined : { others, ours, position: position ?? others.length };
}

/** The file with `lines` in the place of ours; no block where there are none. */
export function writeKeyFile({ others, position }: KeyFile, lines: readonly string[]): string {
  if (lines.length === 0) return others.join('');
  const before = others.slice(0, position).join('');
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  const block = [blockBegin, ...lines, blockEnd].map((line) => `${line}\n`);
  return [before, gap, ...block, ...others.slice(position)].join('');
}

/** Whether a key, given as `TYPE BASE64`, stands among our lines. */
export function createIsOurs({ ours }: KeyFile): (publicKey: string) => boolean {
  const keys = new Set(ours.flatMap((line) => line.match(/\S+ AAAA[A-Za-z0-9+/=]+/g) ?? []));
  return (publicKey) => keys.has(publicKey);
}
