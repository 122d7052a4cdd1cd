import { renderUnicodeCompact } from 'uqr';

/**
 * A QR code for a terminal, two rows of it in one line of text. Drawn for light text on a dark
 * background; `invert` is for dark text on a light one, and some apps read either.
 */
export function qrText(text: string, { invert }: { invert: boolean }): string {
  // The standard's quiet zone is 4 wide; apps read 2, and a line more or less decides whether a terminal holds it.
  const drawn = renderUnicodeCompact(text, { ecc: 'L', border: 2 });
  return invert ? drawn.replace(/[█▀▄ ]/g, (block) => inverted[block] as string) : drawn;
}

const inverted: Readonly<Record<string, string>> = { '█': ' ', '▀': '▄', '▄': '▀', ' ': '█' };
