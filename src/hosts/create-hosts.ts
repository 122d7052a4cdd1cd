/** The rules about hosts over the store. */
import { GatewayError } from '../errors.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { HostRow } from '../store/schema.ts';
import type { Store, Transaction } from '../store/store.ts';
import { parseSlug } from './host-names.ts';
import { readHostTarget } from './host-target.ts';
import { type Hosts, type HostToAdd, hostKey, type Registrant } from './hosts.ts';
import { checkIdentityFile } from './identity-files.ts';
import { isInternalHostname } from './internal-addresses.ts';

export interface HostsDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly targetPrefix: string;
  /** Any container, whoever's; false when nobody knows. */
  readonly isContainerName: (name: string) => Promise<boolean>;
}

const maxHostsPerAccount = 1_000;

export function createHosts(dependencies: HostsDependencies): Hosts {
  const { store, clock, dataDir, targetPrefix, isContainerName } = dependencies;
  return {
    async add({ identityFile, via, ...host }, registrant) {
      refuseToMembers(host.hostname, identityFile, registrant);
      const { name } = host;
      const slug = parseSlug(name, targetPrefix);
      const taken = new GatewayError('host-name-taken', { name });
      if ((await isContainerName(slug)) || (await isContainerName(name))) throw taken;
      const file = identityFile === undefined ? undefined : await checkIdentityFile(dataDir, identityFile);
      return store.transact(async (transaction) => {
        if (await transaction.find('hosts', 'slug', slug)) throw taken;
        await refuseTooMany(transaction, registrant);
        if (via && !(await transaction.get('hosts', via.id))) {
          throw new GatewayError('host-not-found', { host: via.name });
        }
        const row: HostRow = {
          ...host,
          id: randomId(),
          slug,
          ...(file === undefined ? {} : { identityFile: file }),
          ...(via ? { via: via.id } : {}),
          createdBy: registrant.accountId,
          createdAt: isoTime(clock),
        };
        await transaction.put('hosts', row);
        return row;
      });
    },

    list: () => store.list('hosts'),
    asTarget: (host) => readHostTarget(store, host),

    remove: (host) =>
      store.transact(async (transaction) => {
        if ((await transaction.list('hosts', 'via', host.id)).length > 0) {
          throw new GatewayError('host-in-use', { host: host.name });
        }
        for (const grant of await transaction.list('grants', 'targetKey', hostKey(host))) {
          await transaction.remove('grants', grant.id);
        }
        await transaction.remove('targetTags', hostKey(host));
        await transaction.remove('secondFactorTargets', hostKey(host));
        await transaction.remove('hosts', host.id);
      }),
  };
}

/** Before anything is looked at: whether a file is there is not a member's to learn. */
function refuseToMembers(
  hostname: HostToAdd['hostname'],
  identityFile: string | undefined,
  { isAdmin }: Registrant,
): void {
  if (isAdmin) return;
  if (identityFile !== undefined) {
    throw new GatewayError('not-allowed', { what: 'to name an identity file of the gateway', who: 'admins' });
  }
  if (isInternalHostname(hostname)) throw new GatewayError('host-address-refused', { hostname });
}

async function refuseTooMany(transaction: Transaction, { accountId }: Registrant): Promise<void> {
  const own = (await transaction.list('hosts')).filter(({ createdBy }) => createdBy === accountId);
  if (own.length >= maxHostsPerAccount) {
    throw new GatewayError('too-many-hosts', { limit: maxHostsPerAccount });
  }
}
