/** A registered host behind the gateway, end to end: bytes go straight through, and the gateway sees only ciphertext. */
import type { Duplex } from 'node:stream';
import type { Audit } from '../audit/audit.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError } from '../errors.ts';
import { dialHost } from '../hosts/dial-host.ts';
import type { Hosts } from '../hosts/hosts.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { randomId } from '../platform/ids.ts';
import type { HostRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import type { Connections } from './connections.ts';
import { withoutPrefix } from './forwarding.ts';

export interface ReachHostDependencies {
  readonly authorizer: Authorizer;
  readonly hosts: Hosts;
  readonly store: Reader;
  readonly connections: Connections;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly targetPrefix: string;
}

/** A forwarding to a host that has answered; `serve` joins the client's channel to it. */
export interface HostForward {
  serve(channel: Duplex, connectionId: string): void;
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
    return {
      serve: (channel, connectionId) => {
        const { identity } = principal;
        join(dependencies, { channel, socket, host, port, identity, connectionId });
      },
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

interface Joined {
  readonly channel: Duplex;
  readonly socket: Duplex;
  readonly host: HostRow;
  readonly port: number;
  readonly identity: Identity;
  readonly connectionId: string;
}

/** Both ways at the slower side's pace; each side's end of sending is passed on (RFC 4254 §5.3). */
function join(
  { connections, audit, clock, authorizer, hosts }: ReachHostDependencies,
  { channel, socket, host, port, identity, connectionId }: Joined,
): void {
  const sessionId = randomId();
  const startedAtMs = clock.now();
  const counted = { bytesIn: 0, bytesOut: 0 };
  const what = `direct-tcpip to ${host.hostname}:${port}`;
  const end = () => {
    socket.destroy();
    channel.destroy();
  };
  const unregister = connections.addSession({
    id: sessionId,
    connectionId,
    identity,
    target: host.slug,
    what,
    openedAt: isoTime(clock),
    traffic: () => counted,
    end,
    recheck: async () => {
      const now = (await hosts.list()).filter(({ id }) => id === host.id);
      const [still] = await authorizer.reachableHosts(await authorizer.principal(identity), now);
      if (!still) throw new GatewayError('host-not-found', { host: host.name });
    },
  });
  audit.sessionStarted(identity, { sessionId, target: host.slug, what });
  channel.on('data', (chunk: Buffer) => {
    counted.bytesIn += chunk.length;
  });
  socket.on('data', (chunk: Buffer) => {
    counted.bytesOut += chunk.length;
  });
  channel.on('error', end).pipe(socket);
  socket.on('error', end).pipe(channel);
  channel.once('close', () => {
    end();
    unregister();
    const durationMs = clock.now() - startedAtMs;
    audit.sessionEnded(identity, {
      sessionId,
      target: host.slug,
      end: { exitStatus: 0 },
      ...counted,
      durationMs,
    });
  });
}
