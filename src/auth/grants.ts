/** Grants: which accounts may open sessions in a target. They hang on account ids, never on names. */
import type { Clock } from '../platform/clock.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountRow, GrantRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

export interface GrantTerms {
  /** Users the grantee may enter as; empty: the target's default user only. */
  readonly users: readonly string[];
  readonly noPty: boolean;
  readonly noForwarding: boolean;
  readonly noSftp: boolean;
}

/** Whether it leaves less than the target's default user with everything. */
export const isLimited = ({ users, noPty, noForwarding, noSftp }: GrantTerms): boolean =>
  users.length > 0 || noPty || noForwarding || noSftp;

const idOf = (targetKey: string, accountId: string) => `${targetKey} ${accountId}`;

/** Grants, or replaces the terms of the grant there is. On disk when it resolves. */
export async function putGrant(
  { store, clock }: { store: Store; clock: Clock },
  target: { readonly key: string },
  account: AccountRow,
  terms: GrantTerms & { readonly createdBy: string },
): Promise<GrantRow> {
  const id = idOf(target.key, account.id);
  const grant = { id, targetKey: target.key, accountId: account.id, createdAt: isoTime(clock), ...terms };
  return store.transact(async (transaction) => {
    await transaction.put('grants', grant);
    return grant;
  });
}

/** Undefined when there was none. */
export async function removeGrant(
  store: Store,
  targetKey: string,
  accountId: string,
): Promise<GrantRow | undefined> {
  return store.transact(async (transaction) => {
    const grant = await transaction.get('grants', idOf(targetKey, accountId));
    if (grant) await transaction.remove('grants', grant.id);
    return grant;
  });
}

/** A target's grants with their accounts, in order of granting. */
export async function listGrants(store: Store, targetKey: string) {
  const grants = await store.list('grants', 'targetKey', targetKey);
  const rows = await Promise.all(
    grants.map(async (grant) => ({ grant, account: await store.get('accounts', grant.accountId) })),
  );
  return rows.flatMap(({ grant, account }) => (account ? [{ grant, account }] : []));
}
