/** The rules about an account's keys: adding, naming, removing, renaming, finding. */
import type { Clock } from '../platform/clock.ts';
import type { KeyRestrictions, KeyRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { PublicKey } from './key-types.ts';

export interface KeyToAdd {
  readonly key: PublicKey;
  /** The comment of the line, if any: the name unless `name` is given. */
  readonly comment?: string;
  readonly restrictions: KeyRestrictions;
  /** ISO 8601; also from an `expiry-time` option. */
  readonly expiresAt?: string;
}

export interface AddKeyOptions {
  /** For a single key only. */
  readonly name?: string;
  readonly tag?: string;
  readonly expiresAt?: string;
  readonly kind?: KeyRow['kind'];
  /** On top of what each key brings; a value may come from one side only. */
  readonly restrictions?: KeyRestrictions;
  /** On top of the gateway's own limit. */
  readonly maxKeys?: number;
  /** Adds a key that was removed before. */
  readonly readd?: boolean;
}

export interface Keys {
  /** Adds all or none. Throws duplicate-key, foreign-key, readded-key, key-name-taken, too-many-keys, invalid-key, usage. */
  add(accountId: string, keys: readonly KeyToAdd[], options: AddKeyOptions): Promise<readonly KeyRow[]>;
  /** In order of adding. */
  list(accountId: string): Promise<readonly KeyRow[]>;
  /** By name, fingerprint, public key line, or id. Throws key-not-found. */
  get(accountId: string, nameOrKey: string): Promise<KeyRow>;
  /** Throws last-key and, when it is `currentKeyId`, current-key, unless `sure`. */
  remove(
    accountId: string,
    nameOrKey: string,
    options: { currentKeyId?: string; sure?: boolean },
  ): Promise<KeyRow>;
  rename(accountId: string, nameOrKey: string, newName: string): Promise<KeyRow>;
  findByFingerprint(fingerprint: string): Promise<KeyRow | undefined>;
  /** Notes a use; written at most once a minute per key. Never throws. */
  noteUse(keyId: string): void;
}

export interface KeysDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly maxKeysPerAccount: number;
}
