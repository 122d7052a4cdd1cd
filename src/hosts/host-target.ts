/** A registered host as a target: who stands behind it, and the hosts on the way to it. */
import { GatewayError } from '../errors.ts';
import type { AccountRow, HostRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import type { HostTarget } from '../targets/target.ts';
import { hostKey } from './hosts.ts';

/** So many hosts may lie between the gateway and one. */
export const maxVia = 4;

/**
 * The host with what holds of its registrant and its way at this moment. Throws host-via-refused when a host on the way is
 * gone, is too far, or may no longer be gone through by whoever registered the one behind it.
 */
export async function readHostTarget(store: Reader, host: HostRow): Promise<HostTarget> {
  const way: HostRow[] = [];
  for (let behind = host; behind.via !== undefined; behind = way[0] as HostRow) {
    const closed = (reason: string) => new GatewayError('host-via-refused', { host: host.name, reason });
    const next = await store.get('hosts', behind.via);
    if (!next) throw closed('a host on it is registered no more');
    if (way.length === maxVia) throw closed(`it leads through more than ${maxVia} hosts`);
    if (!(await mayGoThrough(store, behind.createdBy, next))) {
      throw closed('whoever registered it may not go through the host before it');
    }
    way.unshift(next);
  }
  const via = await Promise.all(way.map((each) => ownTarget(store, each)));
  return { ...(await ownTarget(store, host)), via };
}

async function ownTarget(store: Reader, host: HostRow): Promise<HostTarget> {
  const byAdmin = await isRegisteredByAdmin(store, host);
  return {
    kind: 'host',
    id: host.id,
    name: host.slug,
    key: hostKey(host),
    host,
    byAdmin,
    gatewayKeys: {
      identityFile: byAdmin ? host.identityFile : undefined,
      egressKey: byAdmin && host.egressKey === true,
    },
    via: [],
  };
}

type Registrant = Pick<AccountRow, 'id' | 'role' | 'disabled'>;

/** The operator of the machine has no account. */
const findRegistrant = async (store: Reader, accountId: string): Promise<Registrant | undefined> =>
  accountId === 'operator'
    ? { id: accountId, role: 'admin', disabled: false }
    : store.get('accounts', accountId);

/** Whether its registrant is an admin at this moment. */
export async function isRegisteredByAdmin(store: Reader, { createdBy }: HostRow): Promise<boolean> {
  const account = await findRegistrant(store, createdBy);
  return account?.role === 'admin' && !account.disabled;
}

/**
 * Whoever goes through a host forwards from there, as its own user: their host, a shared one, or one granted with forwarding
 * and that user.
 */
export async function mayGoThrough(store: Reader, accountId: string, via: HostRow): Promise<boolean> {
  const account = await findRegistrant(store, accountId);
  if (!account || account.disabled) return false;
  if (account.role === 'admin' || via.createdBy === accountId) return true;
  const grants = await store.list('grants', 'targetKey', hostKey(via));
  const grant = grants.find((each) => each.accountId === accountId);
  if (!grant) return via.shared;
  const entersAsItself = grant.users.length === 0 || grant.users.includes(via.username);
  return entersAsItself && !grant.noForwarding;
}

/** Whom the gateway may log in to the host as. */
export const usersOf = ({ username, users = [] }: Pick<HostRow, 'username' | 'users'>): readonly string[] => [
  ...new Set([username, ...users]),
];
