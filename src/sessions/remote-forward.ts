/** Places in a target where we listen for a peer, as `ssh -R` asks for them. */
import { type Authorization, isForContainer } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { OnBehalfOf } from '../targets/host-engine.ts';
import type { ForwardDestination, HostTarget, InboundConnection, RemoteListener } from '../targets/target.ts';
import type { ForwardDependencies } from './forward.ts';
import { forwardsInto } from './forward-access.ts';
import { destinationText, isSocket, mayBePlace, permitsListening } from './forwarding.ts';
import { keepListening } from './keep-listening.ts';
import type { PeerConnection } from './peer.ts';
import { carryRecorded, type ForwardPeer, recordListener } from './recorded-forward.ts';

/** Offers a connection to the peer; undefined when the peer does not take it. */
export type OfferConnection = (
  place: ForwardDestination,
  origin: { readonly address: string; readonly port: number },
) => Promise<ForwardPeer | undefined>;

/**
 * Listens in the target of the connection until `close` is called, or it may no longer. Throws a GatewayError, which is
 * audited: `listening-refused`, `destination-invalid`, and what access and the engine's listen throw.
 */
export type OpenRemoteForward = (
  connection: PeerConnection,
  identity: Identity,
  place: ForwardDestination,
  offer: OfferConnection,
) => Promise<RemoteListener>;

export function createOpenRemoteForward(dependencies: ForwardDependencies): OpenRemoteForward {
  const { audit } = dependencies;
  return async (connection, identity, place, offer) => {
    const what = `listen ${destinationText(place)}`;
    try {
      const authorization = await authorizeListening(dependencies, connection, identity, place);
      const { name: target } = authorization.target;
      const recheck = () => dependencies.access.recheck(authorization);
      const facts = { connection, identity, target, authorization, recheck };
      const carry = (bound: ForwardDestination, { stream, ...origin }: InboundConnection) =>
        offer(bound, origin).then((peer) => {
          if (!peer) return void stream.destroy();
          const inbound = { ...facts, what: `connection to ${destinationText(bound)}` };
          return carryRecorded(dependencies, inbound, stream, peer);
        });
      const open = (wanted: ForwardDestination) =>
        openOnce(dependencies, connection, identity, wanted, (bound, inbound) => {
          void carry(bound, inbound).catch(() => inbound.stream.destroy());
        });
      // A socket's file would be in its own way, and a host's connection ends with the person's.
      const isKept = isForContainer(authorization) && !isSocket(place);
      const listener = await (isKept ? keepListening(place, open) : open(place));
      void recordListener(dependencies, { ...facts, what }, listener);
      return listener;
    } catch (error) {
      if (isGatewayError(error)) audit.refused(identity, { what, reason: error.code });
      throw error;
    }
  };
}

type OnBoundConnection = (bound: ForwardDestination, connection: InboundConnection) => void;

/** Authorized anew each time. */
async function openOnce(
  dependencies: ForwardDependencies,
  connection: PeerConnection,
  identity: Identity,
  place: ForwardDestination,
  onConnection: OnBoundConnection,
): Promise<RemoteListener> {
  const authorization = await authorizeListening(dependencies, connection, identity, place);
  const by = { connectionId: connection.id, source: connection.source };
  const listener = await listenIn(dependencies, authorization, place, by, onConnection);
  await dependencies.access.recheck(authorization).catch((error) => {
    listener.close();
    throw error;
  });
  return listener;
}

async function authorizeListening(
  { access, targetPrefix }: ForwardDependencies,
  connection: PeerConnection,
  identity: Identity,
  place: ForwardDestination,
): Promise<Authorization> {
  const into = forwardsInto(connection, targetPrefix);
  if (!into) throw new GatewayError('listening-in-lobby', {});
  if (!mayBePlace(place)) throw new GatewayError('destination-invalid', {});
  return access.authorize(connection, identity, into, ({ permitListen }) => {
    // As with sshd, permitlisten= is about hosts and ports alone.
    if (!isSocket(place) && !permitsListening(permitListen, place))
      throw new GatewayError('listening-refused', { permitted: permitListen?.join(', ') ?? '' });
  });
}

/** Tells of each connection where it came in: the first may be there before the listener is. */
async function listenIn(
  { engine, hostEngine }: ForwardDependencies,
  authorization: Authorization,
  place: ForwardDestination,
  by: OnBehalfOf,
  onConnection: OnBoundConnection,
): Promise<RemoteListener> {
  let bound = place;
  const connected = (connection: InboundConnection) => onConnection(bound, connection);
  const listening = async () => {
    if (isForContainer(authorization)) return engine.listen(authorization, place, connected);
    const { name } = authorization.target;
    if (isSocket(place)) throw new GatewayError('not-a-container', { name });
    return hostEngine.listen(authorization as Authorization<HostTarget>, place, connected, by);
  };
  const listener = await listening();
  bound = listener.place;
  return listener;
}
