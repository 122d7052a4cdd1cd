/** The key feed: the public keys that other servers may let an account in by. */
import { isNarrowed } from '../keys/narrowing.ts';
import type { Clock } from '../platform/clock.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** Resolves to `TYPE BASE64` lines in order of adding; undefined when there is no such account, or it is disabled. */
export type FindKeyFeed = (accountName: string) => Promise<readonly string[] | undefined>;

export const createKeyFeed =
  ({ store, clock }: { readonly store: Store; readonly clock: Clock }): FindKeyFeed =>
  async (accountName) => {
    const account = await store.find('accounts', 'name', accountName);
    if (!account || account.disabled) return undefined;
    const keys = await store.list('keys', 'accountId', account.id);
    return keys.filter((key) => isFed(key, clock.now())).map(({ publicKey }) => publicKey);
  };

/** A line has no place for what narrows a key here, so keys that are narrowed are no one else's to trust. */
function isFed(key: KeyRow, nowMs: number): boolean {
  const { kind, expiresAt, restrictions } = key;
  const isExpired = expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs);
  return kind === 'user' && !isExpired && !isNarrowed(key) && restrictions.verifyRequired !== true;
}
