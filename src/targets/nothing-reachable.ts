import type { Principal } from '../auth/authorizer.ts';
import { excerpt } from '../platform/excerpt.ts';

/** What people read who reach no target. It says nothing of targets that are there and not theirs. */
export function nothingReachable({ key: { tag } }: Principal): string {
  return tag === undefined
    ? 'You can reach no target yet; ask an admin or an owner to share one with you.'
    : `The key you used reaches only targets with the tag "${excerpt(tag)}", and you can reach none of those; use another key, or ask an admin or an owner to share one or to tag it.`;
}
