/** Small pieces of commands' texts. */

/** `2026-11-21 09:28`, in UTC; `never` or the like when there is no time. */
export function shortTime(iso: string | undefined, otherwise: string): string {
  return iso === undefined ? otherwise : iso.slice(0, 16).replace('T', ' ');
}

/** `1 key`, `2 keys`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What a positional that takes one word holds; undefined when it was left out. */
export function oneWord(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** The words of a variadic positional. */
export function allWords(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** The value of a string option. */
export function optionText(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
