/**
 * Who somebody is, proven. Invariant: `provenIdentity` is called only by the authenticator, after a
 * signature was verified; a unit test reads the import lines and fails on any other caller.
 */
import type { Address } from '../sessions/session.ts';

declare const proven: unique symbol;

export interface Identity {
  readonly [proven]: true;
  readonly accountId: string;
  /** The account's name when it logged in; for display only. Rights are looked up by id each time. */
  readonly accountName: string;
  readonly keyId: string;
  /** `SHA256:…` of the key that signed. */
  readonly fingerprint: string;
  readonly source: Address;
  /** An inner connection of a jump is bounded by the outer one's key as well. */
  readonly outer?: Identity;
}

export function provenIdentity(facts: Omit<Identity, typeof proven>): Identity {
  return Object.freeze({ ...facts }) as Identity;
}
