/**
 * Leave to open one target as one user. Made only by the authorizer, so whoever holds one holds the
 * very target that was checked: nobody dials anything else.
 */
import type { Target } from '../targets/target.ts';
import type { Identity } from './identity.ts';

declare const authorized: unique symbol;

export interface Authorization<T extends Target = Target> {
  readonly [authorized]: true;
  readonly target: T;
  /** User inside the target; undefined: its default user. */
  readonly user: string | undefined;
  readonly identity: Identity;
  readonly allows: SessionAllowances;
}

/** What grant and key leave of a session. */
export interface SessionAllowances {
  readonly pty: boolean;
  readonly forwarding: boolean;
  readonly agentForwarding: boolean;
  readonly sftp: boolean;
}

/** For the authorizer alone. */
export function grantAuthorization<T extends Target>(
  facts: Omit<Authorization<T>, typeof authorized>,
): Authorization<T> {
  return Object.freeze({ ...facts }) as Authorization<T>;
}
