/**
 * Makes text from a peer safe to print: control characters (C0, DEL, C1), bidirectional overrides and
 * line separators appear as `\xNN` or `\u{NNNN}`, so that nobody's key comment drives a terminal.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]|\p{Cs}/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
    },
  );
}

export function hasControlCharacters(text: string): boolean {
  return printable(text) !== text;
}
