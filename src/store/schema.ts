/** The rows that survive a restart, as plain data, and how each table may be searched. */
import type { EngineRow, HostRow } from './machine-rows.ts';

export type { EngineRow, HostRow };

export type Role = 'admin' | 'member';

export interface AccountRow {
  readonly id: string;
  /** `[a-z][a-z0-9-]{0,31}`, unique. */
  readonly name: string;
  readonly email?: string;
  readonly role: Role;
  readonly disabled: boolean;
  /** ISO 8601, as every time in the store. */
  readonly createdAt: string;
  readonly origin: 'invite' | 'admin-key' | 'operator' | 'admin';
  readonly secondFactorRequired?: boolean;
}

/** What goes with a key and, all but the last three, narrows it: authorized_keys options, sshd(8). */
export interface KeyRestrictions {
  /** Patterns of `from="…"`: addresses, CIDR, `*`/`?` wildcards, `!` negation. */
  readonly from?: string;
  /** `command="…"`: runs instead of whatever was asked. */
  readonly command?: string;
  readonly noPty?: boolean;
  readonly noPortForwarding?: boolean;
  readonly noAgentForwarding?: boolean;
  /** `permitopen="HOST:PORT"`: the only destinations of a forwarding, if there are any. */
  readonly permitOpen?: readonly string[];
  /** `permitlisten="[HOST:]PORT"`: the only places that may be listened on, if there are any. */
  readonly permitListen?: readonly string[];
  /** `environment="NAME=value"`. */
  readonly environment?: readonly string[];
  /** Of a security key: a signature counts though nobody touched it. */
  readonly noTouchRequired?: boolean;
  /** Of a security key: a signature counts only if it asked for PIN or finger. */
  readonly verifyRequired?: boolean;
}

export interface KeyRow {
  readonly id: string;
  readonly accountId: string;
  /** Unique within the account. */
  readonly name: string;
  /** `SHA256:…` as ssh-keygen -l prints it; unique on the gateway. */
  readonly fingerprint: string;
  /** `TYPE BASE64`, without comment. */
  readonly publicKey: string;
  /** What stood behind it, unless that became the name. */
  readonly comment?: string;
  readonly keyType: string;
  readonly kind: 'user' | 'api';
  readonly createdAt: string;
  readonly lastUsedAt?: string;
  readonly expiresAt?: string;
  readonly tag?: string;
  readonly restrictions: KeyRestrictions;
}

/** A removed key, so that adding it again is a decision. The id is the fingerprint. */
export interface KeyTombstoneRow {
  readonly id: string;
  readonly removedAt: string;
}

/** A name an account has or ever had. The id is the name. */
export interface AccountNameRow {
  readonly id: string;
  readonly accountId: string;
}

export interface InviteRow {
  readonly id: string;
  /** SHA-256 of the code, hex. */
  readonly codeHash: string;
  readonly role: Role;
  readonly name?: string;
  /** Account id, or `gateway` for the one printed on first start, with ` NAME` behind it where several share the database. */
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** An account may reach a target. `targetKey` is `container:NAME`, `container:ENGINE/NAME` or `host:ID`. */
export interface GrantRow {
  /** `TARGETKEY ACCOUNTID`. */
  readonly id: string;
  readonly targetKey: string;
  readonly accountId: string;
  /** Users the grantee may enter as; empty: the target's default user only. */
  readonly users: readonly string[];
  readonly noPty: boolean;
  readonly noForwarding: boolean;
  readonly noSftp: boolean;
  readonly createdBy: string;
  readonly createdAt: string;
}

/** Tags of a target. The id is the targetKey. */
export interface TargetTagsRow {
  readonly id: string;
  readonly tags: readonly string[];
}

/** A certificate authority whose OpenSSH user certificates are a way in. */
export interface CaRow {
  readonly id: string;
  /** `[a-z][a-z0-9-]{0,31}`, unique. */
  readonly name: string;
  /** `SHA256:…` of its key; unique. */
  readonly fingerprint: string;
  /** `TYPE BASE64`, without comment. */
  readonly publicKey: string;
  /** Names of the accounts it may speak for, there or to come; `['*']`: of every account. */
  readonly principals: readonly string[];
  /** Also for those of them that are admins. */
  readonly admins: boolean;
  /** Account id. */
  readonly createdBy: string;
  readonly createdAt: string;
}

/**
 * Certificates that are no longer good. Hangs on the authority's key, not on its row: taking an authority
 * out and in again brings none of them back.
 */
export interface RevocationRow {
  /** `FINGERPRINT serial=N` or `FINGERPRINT key-id=ID`. */
  readonly id: string;
  /** Fingerprint of the authority's key. */
  readonly authority: string;
  /** In decimal; as it may have 64 bits, a string. */
  readonly serial?: string;
  readonly keyId?: string;
  readonly createdBy: string;
  readonly createdAt: string;
}

/** An account's second factor. The id is the account's. */
export interface SecondFactorRow {
  readonly id: string;
  /** TOTP secret, base32: as it is, for no code can be checked against a hash of it. */
  readonly secret: string;
  readonly createdAt: string;
  /** Absent: it counts for nothing yet. */
  readonly confirmedAt?: string;
  /** RFC 6238's T of the last code taken: it and those before it count no more. */
  readonly lastStep: number;
  /** SHA-256, hex, of those not used yet. */
  readonly recoveryCodes: readonly string[];
  /** Since the last right one. */
  readonly wrongCodes: number;
  readonly lockedUntil?: string;
}

/** A login that is spared the code. The id is `ACCOUNTID KEYID FINGERPRINT ADDRESS`. */
export interface RememberedLoginRow {
  readonly id: string;
  readonly accountId: string;
  readonly until: string;
}

/** A target whose sessions need a second factor. The id is the targetKey. */
export interface SecondFactorTargetRow {
  readonly id: string;
  readonly since: string;
}

/** A container into whose authorized_keys the gateway has written: what is taken away must reach it. The id is the targetKey. */
export interface SyncedTargetRow {
  readonly id: string;
  readonly since: string;
  /** When its engine first listed no such container; unset again when there is one. */
  readonly goneSince?: string;
}

/** What is recorded beside what the configuration says. The id is a targetKey, or `account:ID`. */
export interface RecordingRuleRow {
  readonly id: string;
  readonly mode: 'on' | 'required';
  readonly since: string;
}

/**
 * An exe1 token: a handle for an exe0 that lies here encrypted. Both what finds the row and what opens it are
 * derived from the handle, which is nowhere in the store.
 */
export interface TokenRow {
  readonly id: string;
  /** Hex; found by it. */
  readonly lookup: string;
  /** The exe0: nonce, AES-256-GCM ciphertext, tag; base64. */
  readonly sealed: string;
  /** `SHA256:…` of the key that signed the exe0. Removing the key removes the row. */
  readonly keyFingerprint: string;
  /** The exe0's exp, or sooner. */
  readonly expiresAt?: string;
  readonly createdAt: string;
  /** Whoever had it made had shown the account's second factor: its uses need not. */
  readonly secondFactor?: 'proven';
}

export interface Rows {
  accounts: AccountRow;
  accountNames: AccountNameRow;
  keys: KeyRow;
  keyTombstones: KeyTombstoneRow;
  invites: InviteRow;
  grants: GrantRow;
  targetTags: TargetTagsRow;
  cas: CaRow;
  revocations: RevocationRow;
  secondFactors: SecondFactorRow;
  rememberedLogins: RememberedLoginRow;
  secondFactorTargets: SecondFactorTargetRow;
  syncedTargets: SyncedTargetRow;
  recordingRules: RecordingRuleRow;
  tokens: TokenRow;
  hosts: HostRow;
  engines: EngineRow;
}

export type TableName = keyof Rows;

/** `unique`: at most one row per value, enforced by the store. `index`: many rows per value. */
export const tables = {
  accounts: { unique: ['name'], index: [] },
  accountNames: { unique: [], index: [] },
  keys: { unique: ['fingerprint'], index: ['accountId'] },
  keyTombstones: { unique: [], index: [] },
  invites: { unique: ['codeHash'], index: [] },
  grants: { unique: [], index: ['targetKey', 'accountId'] },
  targetTags: { unique: [], index: [] },
  cas: { unique: ['name', 'fingerprint'], index: [] },
  revocations: { unique: [], index: ['authority'] },
  secondFactors: { unique: [], index: [] },
  rememberedLogins: { unique: [], index: ['accountId'] },
  secondFactorTargets: { unique: [], index: [] },
  syncedTargets: { unique: [], index: [] },
  recordingRules: { unique: [], index: [] },
  tokens: { unique: ['lookup'], index: ['keyFingerprint'] },
  hosts: { unique: ['slug'], index: ['via'] },
  engines: { unique: ['name'], index: ['ssh'] },
} as const satisfies {
  [T in TableName]: { unique: readonly (keyof Rows[T])[]; index: readonly (keyof Rows[T])[] };
};

export type UniqueField<T extends TableName> = (typeof tables)[T]['unique'][number];
export type IndexField<T extends TableName> = (typeof tables)[T]['index'][number];

/** Written into the store; older ones are migrated, newer ones refused. */
export const schemaVersion = 1;
