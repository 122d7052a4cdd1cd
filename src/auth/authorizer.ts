/** Who may do what: the one place that answers it, from the state of this moment. */
import type { SecondFactorStanding } from '../second-factor/standing.ts';
import type { AccountRow, HostRow, KeyRow } from '../store/schema.ts';
import type { Target } from '../targets/target.ts';
import type { Authorization } from './authorization.ts';
import type { Identity } from './identity.ts';

/** An identity with its account and key as they are now. */
export interface Principal {
  readonly identity: Identity;
  readonly account: AccountRow;
  /** Of the store; for an identity by certificate, made from that certificate. */
  readonly key: KeyRow;
  /** Tag, expiry, from, command, restrict, no-…: on this key or on the outer connection's. */
  readonly restricted: boolean;
  readonly secondFactor: SecondFactorStanding;
}

/** The state of this moment counts: account and keys are read again, whatever the principal held when it was made. */
export interface Authorizer {
  /** Throws `not-allowed` when account or key are gone, disabled or expired by now. */
  principal(identity: Identity): Promise<Principal>;
  /**
   * Those of `targets` that the principal may open sessions in. Throws as `principal` does, and as `authorize` does for
   * the account's second factor.
   */
  reachable<T extends Target>(principal: Principal, targets: readonly T[]): Promise<readonly T[]>;
  /** The same of hosts: an admin's all, else shared ones, their own, and those granted. */
  reachableHosts(principal: Principal, hosts: readonly HostRow[]): Promise<readonly HostRow[]>;
  /** Those of `reachableHosts` that bytes may go straight through to: no limit of a grant or key stands against it. */
  endToEndHosts(principal: Principal, hosts: readonly HostRow[]): Promise<readonly HostRow[]>;
  /** Admin, owner (label) or registrant: life cycle, share, tag. By what the principal holds: give it a fresh one. */
  mayManage(principal: Principal, target: Target): boolean;
  /** The same of a host. */
  mayManageHost(principal: Principal, host: HostRow): boolean;
  /**
   * Asks all that `principal` asks, too. Of a host, the Authorization's target is made anew: what was registered meanwhile counts. Throws as `principal` does,
   * target-not-found, target-user-refused, host-via-refused, second-factor-missing, -unproven, -target.
   */
  authorize<T extends Target>(
    who: Pick<Principal, 'identity'>,
    target: T,
    user: string | undefined,
  ): Promise<Authorization<T>>;
}
