/** Whose keys open a container as its default user: for what lies outside the gateway and cannot ask it at every login. */
import type { Config } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import { findOwnContainerId } from '../platform/own-container.ts';
import { readRecordingMode } from '../recordings/recording-modes.ts';
import type { AccountRow, GrantRow, KeyRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { ContainerTarget } from '../targets/target.ts';
import { isVisible } from '../targets/visibility.ts';
import type { SessionAllowances } from './authorization.ts';
import { allowances, carriesTags, manages } from './create-authorizer.ts';
import { isLimited } from './grants.ts';

export interface ReachingKey {
  readonly account: AccountRow;
  readonly key: KeyRow;
  readonly allows: SessionAllowances;
}

/** An account that may enter under a condition that no list of keys can state. */
export interface LeftOut {
  readonly account: string;
  readonly reason: 'second-factor' | 'limited-grant' | 'recording';
}

export interface ReachingKeys {
  readonly keys: readonly ReachingKey[];
  readonly leftOut: readonly LeftOut[];
}

export type ListReachingKeys = (target: ContainerTarget) => Promise<ReachingKeys>;

interface ReachingKeysDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: Pick<Config, 'containers'> & Partial<Pick<Config, 'recordings'>>;
}

export function createListReachingKeys(dependencies: ReachingKeysDependencies): ListReachingKeys {
  const { store, config } = dependencies;
  const visibility = { containers: config.containers, ownContainerId: findOwnContainerId() };

  return async (target) => {
    const keys: ReachingKey[] = [];
    const leftOut: LeftOut[] = [];
    if (!isVisible(target, visibility)) return { keys, leftOut };
    const isCovered = (await store.get('secondFactorTargets', target.key)) !== undefined;
    const grants = new Map(
      (await store.list('grants', 'targetKey', target.key)).map((grant) => [grant.accountId, grant]),
    );
    for (const account of await store.list('accounts')) {
      const access = manages({ account }, target) ? 'manages' : grants.get(account.id);
      if (account.disabled || access === undefined) continue;
      const found = await keysOf(dependencies, account, target);
      const reason = await findReason(dependencies, account, access, { isCovered, targetKey: target.key });
      if (reason === undefined) keys.push(...found);
      else if (found.length > 0) leftOut.push({ account: account.name, reason });
    }
    return { keys, leftOut };
  };
}

/** Of those that are good now, and carry no tag that the target lacks. */
async function keysOf(
  { store, clock }: ReachingKeysDependencies,
  account: AccountRow,
  target: ContainerTarget,
): Promise<readonly ReachingKey[]> {
  const rows = (await store.list('keys', 'accountId', account.id)).filter(
    ({ kind, expiresAt }) =>
      kind === 'user' && (expiresAt === undefined || Date.parse(expiresAt) > clock.now()),
  );
  const carried = await Promise.all(rows.map((row) => carriesTags(store, [row], target.key)));
  return rows
    .filter((_, index) => carried[index])
    .map((key) => ({
      account,
      key,
      // Grants that leave less than everything are no way to get here.
      allows: allowances('manages', [key], target, account.role === 'admin'),
    }));
}

/** What no list of keys can state, of this account's way to that target. */
async function findReason(
  { store, config }: ReachingKeysDependencies,
  account: AccountRow,
  grant: GrantRow | 'manages',
  { isCovered, targetKey }: { readonly isCovered: boolean; readonly targetKey: string },
): Promise<LeftOut['reason'] | undefined> {
  const factor = await store.get('secondFactors', account.id);
  if (isCovered || account.secondFactorRequired || factor?.confirmedAt !== undefined) return 'second-factor';
  const ids = { targetKey, accountId: account.id };
  if ((await readRecordingMode(store, config.recordings ?? 'off', ids)) === 'required') return 'recording';
  return grant !== 'manages' && isLimited(grant) ? 'limited-grant' : undefined;
}
