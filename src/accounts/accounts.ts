/** The rules about accounts and invites. */
import type { PublicKey } from '../keys/key-types.ts';
import type { KeyToAdd } from '../keys/keys.ts';
import type { AccountRow, InviteRow, KeyRow, Role } from '../store/schema.ts';

export interface Accounts {
  list(): Promise<readonly AccountRow[]>;
  get(id: string): Promise<AccountRow | undefined>;
  /** Throws account-not-found. */
  getByName(name: string): Promise<AccountRow>;
  /** Throws invalid-account-name, account-name-taken. `origin` 'admin'/'operator' may choose reserved names. */
  add(account: {
    name: string;
    role: Role;
    email?: string;
    origin: AccountRow['origin'];
  }): Promise<AccountRow>;
  /** Removes the account with its keys and grants; its name stays used. Throws last-admin. */
  remove(name: string): Promise<AccountRow>;
  /** Throws last-admin when it would lock out the last admin. */
  setDisabled(name: string, disabled: boolean): Promise<AccountRow>;
  setRole(name: string, role: Role): Promise<AccountRow>;
  /** Without a second factor it may then only get itself one. */
  setSecondFactorRequired(name: string, required: boolean): Promise<AccountRow>;
  /**
   * The account `admin` from `--admin-key`: made with this key, or, when a former call made it, given the key.
   * Throws a sentence when an account `admin` exists that was not made so. Idempotent.
   */
  ensureAdmin(key: KeyToAdd): Promise<AccountRow>;
  isEmpty(): Promise<boolean>;
}

export interface Invites {
  /** The code is returned once and never kept. `expiresAt` ISO 8601. */
  create(invite: {
    role: Role;
    name?: string;
    expiresAt: string;
    createdBy: string;
  }): Promise<{ invite: InviteRow; code: string }>;
  /** Those still valid. */
  list(): Promise<readonly InviteRow[]>;
  /** By id or by code. Throws invite-not-found. */
  revoke(idOrCode: string): Promise<InviteRow>;
  /** The valid invite behind a code. */
  findByCode(code: string): Promise<InviteRow | undefined>;
  /**
   * Makes account and key and consumes the invite, in one write. The invite's own name wins over `name`.
   * Throws invalid-invite, already-member, join-needs-name, account-name-taken, invite-name-taken, invalid-account-name,
   * name-unchecked.
   */
  redeem(
    code: string,
    key: PublicKey,
    options: { name?: string; keyName?: string },
  ): Promise<{ account: AccountRow; key: KeyRow }>;
}
