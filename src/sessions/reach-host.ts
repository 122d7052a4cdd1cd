/** A registered host behind the gateway, end to end: bytes go straight through, and the gateway sees only ciphertext. */
import { type Authorization, lacksRecording } from '../auth/authorization.ts';
import type { Authorizer, Principal } from '../auth/authorizer.ts';
import { GatewayError } from '../errors.ts';
import type { Hosts } from '../hosts/hosts.ts';
import type { HostRow } from '../store/schema.ts';
import type { HostEngine } from '../targets/host-engine.ts';
import type { HostTarget } from '../targets/target.ts';
import { withoutPrefix } from './forwarding.ts';
import type { PeerConnection } from './peer.ts';
import { carryRecorded, type ForwardPeer, type RecordDependencies } from './recorded-forward.ts';

export interface ReachHostDependencies extends RecordDependencies {
  readonly authorizer: Authorizer;
  readonly hosts: Hosts;
  readonly hostEngine: HostEngine;
  readonly targetPrefix: string;
}

/** A forwarding to a host that has answered. */
export interface HostForward {
  /** Carries bytes until both sides have ended, or one is gone; never rejects. */
  carry(connection: PeerConnection, peer: ForwardPeer): Promise<void>;
}

/**
 * The host that `host:port` names for the principal: by name, `rexec-NAME` or registered host name, at a registered
 * port; undefined when it names none. Connects to it, by way of
 * others where it is registered so. Throws host-limited, recording-end-to-end, forward-refused, and what the authorizer and `reach` throw.
 */
export type ReachHost = (
  principal: Principal,
  host: string,
  port: number,
) => Promise<HostForward | undefined>;

export function createReachHost(dependencies: ReachHostDependencies): ReachHost {
  const { authorizer, hosts, hostEngine, targetPrefix } = dependencies;
  return async (principal, wanted, port) => {
    const reachable = await authorizer.reachableHosts(principal, await hosts.list());
    const candidates = findCandidates(reachable, wanted, port, targetPrefix);
    const host = await choose(hosts, candidates, principal);
    if (!host) return undefined;
    const target = await hosts.asTarget(host);
    const authorization = await authorizer.authorize(principal, target, undefined);
    checkMayReach(authorization, port);
    const { name } = authorization.target;
    const { identity } = principal;
    const stream = await hostEngine.reach(authorization.target, port);
    const what = `direct-tcpip to ${host.hostname}:${port}`;
    const recheck = async () => {
      const now = await authorizer.authorize({ identity }, target, undefined);
      checkMayReach(now, port);
      if (lacksRecording(authorization, now)) throw new GatewayError('recording-missing', { target: name });
    };
    // What is withdrawn while it is dialled ends nothing, for that is in no list yet.
    await recheck().catch((error) => {
      stream.destroy();
      throw error;
    });
    return {
      carry: (connection, peer) => {
        const facts = { connection, identity, what, target: name, recheck, reached: authorization };
        return carryRecorded(dependencies, { ...facts, isInward: true }, stream, peer);
      },
    };
  };
}

/** Throws forward-refused, host-limited, recording-end-to-end. */
function checkMayReach({ target, allows, recording }: Authorization<HostTarget>, port: number): void {
  if (port !== target.host.port) {
    if (!allows.forwarding) throw new GatewayError('forward-refused', { name: target.name });
  } else if (recording === 'required') {
    throw new GatewayError('recording-end-to-end', { host: target.name });
  } else if (allows.endToEnd !== true) throw new GatewayError('host-limited', { host: target.name });
}

/** By name first, then by address; in both in order of registering. */
function findCandidates(
  hosts: readonly HostRow[],
  wanted: string,
  port: number,
  prefix: string,
): readonly HostRow[] {
  const folded = wanted.toLowerCase().replace(/\.$/, '');
  const name = withoutPrefix(folded, prefix);
  const atPort = hosts.filter((host) => port === host.port || host.ports.includes(port));
  const named = atPort.filter((host) => host.slug === name || host.name.toLowerCase() === name);
  const addressed = atPort.filter((host) => host.hostname.toLowerCase() === folded);
  return [...new Set([...named, ...addressed])];
}

/**
 * Members choose names and addresses freely: what they share stands behind what admins, and the principal, registered, or
 * a host that is called as another is addressed would be taken for it.
 */
async function choose(
  hosts: Hosts,
  candidates: readonly HostRow[],
  { account }: Principal,
): Promise<HostRow | undefined> {
  const [first, ...others] = candidates;
  if (others.length === 0) return first;
  const isTrusted = (host: HostRow) =>
    host.createdBy === account.id
      ? true
      : hosts.asTarget(host).then(
          ({ byAdmin }) => byAdmin,
          () => false,
        );
  const trusted = await Promise.all(candidates.map(isTrusted));
  return candidates[trusted.indexOf(true)] ?? first;
}
