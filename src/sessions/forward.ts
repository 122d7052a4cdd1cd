/** Forwards into a target, to ports and unix sockets, as `ssh -L`, `-D` and `-W` ask for them. */
import type { Audit } from '../audit/audit.ts';
import { type Authorization, isForContainer } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { HostEngine } from '../targets/host-engine.ts';
import type { ContainerEngine, ForwardDestination, HostTarget } from '../targets/target.ts';
import { type ForwardAccess, forwardsInto } from './forward-access.ts';
import {
  destinationText,
  isSocket,
  mayBeDestination,
  permitsDestination,
  withoutPrefix,
} from './forwarding.ts';
import type { PeerConnection } from './peer.ts';
import {
  carryRecorded,
  type ForwardPeer,
  openForwardLog,
  type RecordDependencies,
} from './recorded-forward.ts';

export interface ForwardDependencies extends RecordDependencies {
  readonly access: ForwardAccess;
  readonly engine: ContainerEngine;
  readonly hostEngine: HostEngine;
  readonly audit: Audit;
  readonly targetPrefix: string;
}

/** Carries bytes until both sides have ended, or one is gone; never rejects. */
export type Carry = (peer: ForwardPeer) => Promise<void>;

/**
 * Connects to the destination that a peer asked for. Throws a GatewayError, which is audited: `destination-invalid`,
 * `destination-refused`, `socket-in-lobby`, `recording-tunnel`, `recording-impossible`, and what access and the engine's dial throw.
 */
export type OpenForward = (
  connection: PeerConnection,
  identity: Identity,
  destination: ForwardDestination,
) => Promise<Carry>;

export function createOpenForward(dependencies: ForwardDependencies): OpenForward {
  const { access, engine, hostEngine, audit, targetPrefix } = dependencies;

  function authorize(connection: PeerConnection, identity: Identity, asked: ForwardDestination) {
    const inTarget = forwardsInto(connection, targetPrefix);
    if (isSocket(asked)) {
      if (!inTarget) throw new GatewayError('socket-in-lobby', {});
      // As with sshd, permitopen= is about hosts and ports alone.
      return access.authorize(connection, identity, inTarget, () => {});
    }
    const name = withoutPrefix(asked.host, targetPrefix);
    const host = inTarget ? asked.host : name;
    return access.authorize(
      connection,
      identity,
      inTarget ?? { target: name, user: undefined, isDestination: true },
      ({ permitOpen }) => {
        if (!permitsDestination(permitOpen, host, asked.port, targetPrefix, !inTarget))
          throw new GatewayError('destination-refused', { permitted: permitOpen?.join(', ') ?? '' });
      },
    );
  }

  /** By its name from the lobby, a container means its own ports; a host, those that it is registered with. */
  function dial(connection: PeerConnection, authorization: Authorization, asked: ForwardDestination) {
    const isNamed = forwardsInto(connection, targetPrefix) === undefined;
    if (isForContainer(authorization)) {
      return engine.dial(
        authorization,
        isNamed && !isSocket(asked) ? { ...asked, host: 'localhost' } : asked,
      );
    }
    const { name: host } = authorization.target;
    if (isSocket(asked)) throw new GatewayError('not-a-container', { name: host });
    if (isNamed) throw new GatewayError('host-port-refused', { host, port: asked.port });
    const by = { connectionId: connection.id, source: connection.source };
    return hostEngine.dial(authorization as Authorization<HostTarget>, asked, by);
  }

  return async (connection, identity, asked) => {
    const what = `forward ${destinationText(asked)}`;
    try {
      if (!mayBeDestination(asked)) throw new GatewayError('destination-invalid', {});
      const authorization = await authorize(connection, identity, asked);
      checkNoTunnel(authorization, asked);
      await openForwardLog(dependencies, { connection, identity, authorization });
      const stream = await dial(connection, authorization, asked);
      const recheck = () => access.recheck(authorization);
      await recheck().catch((error) => {
        stream.destroy();
        throw error;
      });
      const { name: target } = authorization.target;
      const facts = { connection, identity, what, target, authorization, recheck, isInward: true };
      return (peer) => carryRecorded(dependencies, facts, stream, peer);
    } catch (error) {
      if (isGatewayError(error)) audit.refused(identity, { what, reason: error.code });
      throw error;
    }
  };
}

const sshPort = 22;

/** Where an SSH server of the target's own listens, its sessions would be recorded by nobody. Throws recording-tunnel. */
function checkNoTunnel({ target, recording }: Authorization, asked: ForwardDestination): void {
  if (recording !== 'required' || isSocket(asked)) return;
  const ports = target.kind === 'host' ? [sshPort, target.host.port] : [sshPort];
  if (ports.includes(asked.port)) throw new GatewayError('recording-tunnel', { target: target.name });
}
