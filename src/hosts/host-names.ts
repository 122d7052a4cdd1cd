/** What a host is called. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { hasControlCharacters } from '../platform/printable.ts';

const maxCharacters = 63;

/**
 * The slug of a name. Throws invalid-host unless the name has 1 to 63 printable characters, a letter or digit of
 * ASCII among them, and the slug could stand for no other kind of target: a container's id, or a name with `targetPrefix`.
 */
export function parseSlug(name: string, targetPrefix: string): string {
  const slug = slugOf(name);
  const fits = [...name].length <= maxCharacters && name.trim() === name && !hasControlCharacters(name);
  if (!fits || slug === '' || slug.length > maxCharacters) {
    throw invalidName(
      name,
      `use 1 to ${maxCharacters} characters, at least one of them an ASCII letter or digit, and no control characters`,
    );
  }
  if (slug.startsWith(targetPrefix)) throw invalidName(name, `leave out "${targetPrefix}" in front`);
  if (/^[0-9a-f]{12,64}$/.test(slug)) throw invalidName(name, 'it could be the id of a container');
  return slug;
}

const invalidName = (name: string, advice: string) =>
  new GatewayError('invalid-host', {
    problem: `"${excerpt(name)}" cannot be the name of a host: ${advice}.`,
  });

/** `Production DB` becomes `production-db`, `Köln` `koln`: lower-case ASCII letters and digits, joined by hyphens. */
const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
