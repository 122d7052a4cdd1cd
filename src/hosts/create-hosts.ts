/** The rules about hosts over the store. */
import { GatewayError, isGatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { HostRow } from '../store/schema.ts';
import type { Reader, Store, Transaction } from '../store/store.ts';
import { parseSlug } from './host-names.ts';
import { readHostTarget } from './host-target.ts';
import { type Hosts, type HostToAdd, hostKey, type Registrant, type ScanHost } from './hosts.ts';
import { checkIdentityFile } from './identity-files.ts';
import { isInternalHostname } from './internal-addresses.ts';

export interface HostsDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly targetPrefix: string;
  /** Any container, whoever's; false when nobody knows. */
  readonly isContainerName: (name: string) => Promise<boolean>;
  readonly scanHost: ScanHost;
}

const maxHostsPerAccount = 1_000;

export function createHosts(dependencies: HostsDependencies): Hosts {
  const { store, clock, dataDir, targetPrefix, scanHost } = dependencies;

  const scan = async (host: HostRow) => scanHost(await readHostTarget(store, host));

  /** What was meant for the row as it was, done to it as it is. */
  const change = (host: HostRow, changes: Partial<HostRow>): Promise<HostRow> =>
    store.transact(async (transaction) => {
      const now = await transaction.get('hosts', host.id);
      if (!now) throw new GatewayError('host-not-found', { host: host.name });
      await refuseTaken(transaction, changes.slug, { id: host.id, name: changes.name ?? host.name });
      const changed = { ...now, ...changes };
      await transaction.put('hosts', changed);
      return changed;
    });

  return {
    async add({ identityFile, via, ...host }, registrant) {
      refuseToMembers(host, identityFile, registrant);
      const slug = await freeSlug(dependencies, host.name);
      const file = identityFile === undefined ? undefined : await checkIdentityFile(dataDir, identityFile);
      const row: HostRow = {
        ...host,
        id: randomId(),
        slug,
        ...(file === undefined ? {} : { identityFile: file }),
        ...(via ? { via: via.id } : {}),
        createdBy: registrant.accountId,
        createdAt: isoTime(clock),
      };
      await refuseAdding(store, row, via);
      const { hostKeys, unpinned } = await keysOf(row, scan);
      const pinned = { ...row, ...(hostKeys ? { hostKeys } : {}) };
      await store.transact(async (transaction) => {
        await refuseAdding(transaction, pinned, via);
        await transaction.put('hosts', pinned);
      });
      return { host: pinned, ...(unpinned ? { unpinned } : {}) };
    },

    list: () => store.list('hosts'),
    asTarget: (host) => readHostTarget(store, host),
    scan,
    pin: (host, hostKeys) => change(host, { hostKeys }),

    async rename(host, name) {
      const slug = parseSlug(name, targetPrefix);
      return change(host, { name, slug: slug === host.slug ? slug : await freeSlug(dependencies, name) });
    },

    remove: (host) => store.transact((transaction) => removeHost(transaction, host)),
  };
}

/** With all that hangs on it. Throws host-in-use. */
async function removeHost(transaction: Transaction, host: HostRow): Promise<void> {
  const behind = await Promise.all([
    transaction.list('hosts', 'via', host.id),
    transaction.list('engines', 'ssh', host.id),
  ]);
  if (behind.flat().length > 0) throw new GatewayError('host-in-use', { host: host.name });
  for (const grant of await transaction.list('grants', 'targetKey', hostKey(host))) {
    await transaction.remove('grants', grant.id);
  }
  await transaction.remove('targetTags', hostKey(host));
  await transaction.remove('secondFactorTargets', hostKey(host));
  await transaction.remove('recordingRules', hostKey(host));
  await transaction.remove('hosts', host.id);
}

/** The slug of a name that no container has. Throws invalid-host, host-name-taken. */
async function freeSlug({ targetPrefix, isContainerName }: HostsDependencies, name: string): Promise<string> {
  const slug = parseSlug(name, targetPrefix);
  if ((await isContainerName(slug)) || (await isContainerName(name))) {
    throw new GatewayError('host-name-taken', { name });
  }
  return slug;
}

/** A host that is not there keeps its place: whoever registers it may well start it later. */
async function keysOf(row: HostRow, scan: (row: HostRow) => Promise<readonly string[]>) {
  if (row.hostKeys) return { hostKeys: row.hostKeys, unpinned: undefined };
  try {
    return { hostKeys: await scan(row), unpinned: undefined };
  } catch (error) {
    if (!isGatewayError(error) || final.has(error.code)) throw error;
    return { hostKeys: undefined, unpinned: error };
  }
}

/** It would never be reached either. */
const final: ReadonlySet<string> = new Set(['host-address-refused', 'host-via-refused']);

/** Before anything is looked at: whether a file is there is not a member's to learn. */
function refuseToMembers(
  { hostname, egressKey }: Pick<HostToAdd, 'hostname' | 'egressKey'>,
  identityFile: string | undefined,
  { isAdmin }: Registrant,
): void {
  if (isAdmin) return;
  if (identityFile !== undefined) {
    throw new GatewayError('not-allowed', { what: 'to name an identity file of the gateway', who: 'admins' });
  }
  if (egressKey) {
    throw new GatewayError('not-allowed', { what: "to have the gateway's own key used", who: 'admins' });
  }
  if (isInternalHostname(hostname)) throw new GatewayError('host-address-refused', { hostname });
}

/** Throws host-name-taken, too-many-hosts, host-not-found, host-via-refused. */
async function refuseAdding(reader: Reader, row: HostRow, via: HostRow | undefined): Promise<void> {
  await refuseTaken(reader, row.slug, row);
  const own = (await reader.list('hosts')).filter(({ createdBy }) => createdBy === row.createdBy);
  if (own.length >= maxHostsPerAccount) {
    throw new GatewayError('too-many-hosts', { limit: maxHostsPerAccount });
  }
  if (via && !(await reader.get('hosts', via.id))) {
    throw new GatewayError('host-not-found', { host: via.name });
  }
  await readHostTarget(reader, row);
}

async function refuseTaken(
  reader: Reader,
  slug: string | undefined,
  { id, name }: Pick<HostRow, 'id' | 'name'>,
): Promise<void> {
  const taken = slug === undefined ? undefined : await reader.find('hosts', 'slug', slug);
  if (taken && taken.id !== id) throw new GatewayError('host-name-taken', { name });
}
