/** Tags on targets: a key with a tag reaches only targets that carry it. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { Store } from '../store/store.ts';

const maxTags = 64;

/** Throws `usage` unless `text` is a tag: a letter or digit, then up to 63 letters, digits, `.`, `_`, `-`. */
export function parseTag(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text;
  throw new GatewayError('usage', {
    problem: `"${excerpt(text)}" cannot be a tag: use up to 64 letters, digits, points, hyphens and underscores.`,
  });
}

export async function readTags(store: Store, targetKey: string): Promise<readonly string[]> {
  return (await store.get('targetTags', targetKey))?.tags ?? [];
}

/** What `change` makes of a target's tags; each once, sorted. On disk when it resolves. */
export async function changeTags(
  store: Store,
  targetKey: string,
  change: (tags: readonly string[]) => readonly string[],
): Promise<readonly string[]> {
  return store.transact(async (transaction) => {
    const before = (await transaction.get('targetTags', targetKey))?.tags ?? [];
    const tags = [...new Set(change(before))].toSorted();
    if (tags.length > maxTags) {
      throw new GatewayError('usage', { problem: `a target may carry ${maxTags} tags; remove some first.` });
    }
    if (tags.length === 0) await transaction.remove('targetTags', targetKey);
    else await transaction.put('targetTags', { id: targetKey, tags });
    return tags;
  });
}
