/** A registered host behind the gateway, end to end: bytes go straight through, and the gateway sees only ciphertext. */
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import { GatewayError } from '../errors.ts';
import { dialHost } from '../hosts/dial-host.ts';
import type { Hosts } from '../hosts/hosts.ts';
import type { HostRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import { withoutPrefix } from './forwarding.ts';
import type { PeerConnection } from './peer.ts';
import { carryRecorded, type ForwardPeer, type RecordDependencies } from './recorded-forward.ts';

export interface ReachHostDependencies extends RecordDependencies {
  readonly authorizer: Authorizer;
  readonly hosts: Hosts;
  readonly store: Reader;
  readonly targetPrefix: string;
}

/** A forwarding to a host that has answered. */
export interface HostForward {
  /** Carries bytes until both sides have ended, or one is gone; never rejects. */
  carry(connection: PeerConnection, peer: ForwardPeer): Promise<void>;
}

/**
 * The host that `host:port` names for the principal: by name, `rexec-NAME` or registered host name, at a registered
 * port; undefined when it names none. Connects to it. Throws host-via, and what `dialHost` throws.
 */
export type ReachHost = (
  principal: Principal,
  host: string,
  port: number,
) => Promise<HostForward | undefined>;

export function createReachHost(dependencies: ReachHostDependencies): ReachHost {
  const { authorizer, hosts, store, targetPrefix } = dependencies;
  return async (principal, wanted, port) => {
    const reachable = await authorizer.reachableHosts(principal, await hosts.list());
    const host = findDestination(reachable, wanted, port, targetPrefix);
    if (!host) return undefined;
    if (host.via !== undefined) throw new GatewayError('host-via', { host: host.name });
    const registrant = await store.get('accounts', host.createdBy);
    const mayBeInternal = registrant?.role === 'admin' && !registrant.disabled;
    const socket = await dialHost({ hostname: host.hostname, port, mayBeInternal });
    const { identity } = principal;
    const what = `direct-tcpip to ${host.hostname}:${port}`;
    const recheck = async () => {
      const now = (await hosts.list()).filter(({ id }) => id === host.id);
      const [still] = await authorizer.reachableHosts(await authorizer.principal(identity), now);
      if (!still) throw new GatewayError('host-not-found', { host: host.name });
    };
    return {
      carry: (connection, peer) =>
        carryRecorded(dependencies, { connection, identity, what, target: host.slug, recheck }, socket, peer),
    };
  };
}

function findDestination(hosts: readonly HostRow[], wanted: string, port: number, prefix: string) {
  const folded = wanted.toLowerCase().replace(/\.$/, '');
  const name = withoutPrefix(folded, prefix);
  const mayBe = (host: HostRow) => port === host.port || host.ports.includes(port);
  return (
    hosts.find((host) => (host.slug === name || host.name.toLowerCase() === name) && mayBe(host)) ??
    hosts.find((host) => host.hostname.toLowerCase() === folded && mayBe(host))
  );
}
