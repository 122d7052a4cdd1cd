/** What a key is called. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import type { KeyToAdd } from './keys.ts';

const maxCharacters = 255;

/** Throws usage unless `name` has 1–255 characters, none of them control characters, with no blank at either end. */
export function checkKeyName(name: string): string {
  const fits = name.length > 0 && [...name].length <= maxCharacters && name.trim() === name;
  if (fits && !hasControlCharacters(name)) return name;
  const problem = `"${excerpt(name)}" cannot be the name of a key: use 1 to ${maxCharacters} characters, none of them control characters.`;
  throw new GatewayError('usage', { problem });
}

/** The comment, else type and the fingerprint's first eight characters; then ` (2)`, ` (3)` … while it is taken. */
export function chooseKeyName(
  { key, comment }: Pick<KeyToAdd, 'key' | 'comment'>,
  taken: ReadonlySet<string>,
): string {
  const fingerprint = key.fingerprint.slice('SHA256:'.length, 'SHA256:'.length + 8);
  const usable = comment !== undefined && !hasControlCharacters(comment) ? comment.trim() : '';
  const wanted = usable === '' ? `${key.type} ${fingerprint}` : usable;
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : ` (${number})`;
    const name = `${[...wanted]
      .slice(0, maxCharacters - suffix.length)
      .join('')
      .trimEnd()}${suffix}`;
    if (!taken.has(name)) return name;
  }
}
