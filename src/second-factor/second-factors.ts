/** The rules about second factors: a TOTP secret per account, recovery codes, what is remembered. */
import type { Identity } from '../auth/identity.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountRow, SecondFactorRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { CodeOutcome } from './check-code.ts';

export interface SecondFactors {
  /** The account's, confirmed or not. */
  find(accountId: string): Promise<SecondFactorRow | undefined>;
  /** A fresh secret, which counts once it is confirmed. Throws second-factor-enrolled. */
  enroll(account: AccountRow): Promise<{ readonly secret: string; readonly url: string }>;
  /**
   * Makes the secret count from now on, and this connection proven. The recovery codes are returned once
   * and never kept. Throws no-enrolment, second-factor-enrolled, wrong-code.
   */
  confirm(identity: Identity, code: string): Promise<readonly string[]>;
  /** Proves it for the connection of `identity`. Throws no-second-factor, wrong-code, codes-locked. */
  verify(identity: Identity, code: string): Promise<void>;
  /** Throws no-second-factor, wrong-code, codes-locked. */
  disable(accountId: string, code: string): Promise<void>;
  /** Takes it away without a code. Throws no-second-factor. */
  reset(account: AccountRow): Promise<void>;

  /** What a login of this identity's account is asked for. */
  neededFor(identity: Identity): Promise<'nothing' | 'code' | 'remembered'>;
  /** Takes a code of a login. `gone`: the account or its second factor is, since the key was verified. */
  check(accountId: string, code: string): Promise<CodeOutcome | 'gone'>;
  /** Spares this key from this address the code for `mfaRememberHours`. */
  remember(identity: Identity): Promise<void>;

  isTargetCovered(targetKey: string): Promise<boolean>;
  /** Whether sessions in the target need a second factor. */
  coverTarget(targetKey: string, covered: boolean): Promise<void>;
}

export interface SecondFactorsDependencies {
  readonly store: Store;
  readonly clock: Clock;
  /** What authenticator apps show over the code. */
  readonly issuer: string;
  /** 0: never remembered. */
  readonly rememberHours: number;
  /** Whether many people come from there: nobody is remembered by that. */
  readonly isShared?: (address: string) => boolean;
}
