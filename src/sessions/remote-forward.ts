/** Places in a target where we listen for a peer, as `ssh -R` asks for them. */
import { type Authorization, isForContainer } from '../auth/authorization.ts';
import type { Identity } from '../auth/identity.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { ForwardDestination, HostTarget, InboundConnection, RemoteListener } from '../targets/target.ts';
import type { ForwardDependencies } from './forward.ts';
import { forwardsInto } from './forward-access.ts';
import { mayBePlace, permitsListening } from './forwarding.ts';
import type { PeerConnection } from './peer.ts';
import { carryRecorded, type ForwardPeer, recordForward } from './recorded-forward.ts';

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
  const { access, engine, hostEngine, audit, targetPrefix } = dependencies;
  return async (connection, identity, place, offer) => {
    const what = `listen ${excerpt(place.host)}:${place.port}`;
    try {
      const into = forwardsInto(connection, targetPrefix);
      if (!into) throw new GatewayError('listening-in-lobby', {});
      if (!mayBePlace(place)) throw new GatewayError('destination-invalid', {});
      const authorization = await access.authorize(connection, identity, into, ({ permitListen }) => {
        if (!permitsListening(permitListen, place))
          throw new GatewayError('listening-refused', { permitted: permitListen?.join(', ') ?? '' });
      });
      const { name: target } = authorization.target;
      const facts = { connection, identity, target, authorization };
      const carry = (bound: ForwardDestination, { stream, ...origin }: InboundConnection) =>
        offer(bound, origin).then((peer) => {
          if (!peer) return void stream.destroy();
          const inbound = { ...facts, what: `connection to ${excerpt(bound.host)}:${bound.port}` };
          return carryRecorded(dependencies, inbound, stream, peer);
        });
      const onConnection = (inbound: InboundConnection) => {
        // The first may come before the listener itself.
        const port = place.port || listener.port;
        void carry({ host: place.host, port }, inbound).catch(() => inbound.stream.destroy());
      };
      const by = { connectionId: connection.id, source: connection.source };
      const listener: RemoteListener = await (isForContainer(authorization)
        ? engine.listen(authorization, place, onConnection)
        : hostEngine.listen(authorization as Authorization<HostTarget>, place, onConnection, by));
      await access.recheck(identity, authorization).catch((error) => {
        listener.close();
        throw error;
      });
      const none = () => ({ bytesIn: 0, bytesOut: 0 });
      void recordForward(dependencies, { ...facts, what }, none, (ended) => untilClosed(listener, ended));
      return listener;
    } catch (error) {
      if (isGatewayError(error)) audit.refused(identity, { what, reason: error.code });
      throw error;
    }
  };
}

function untilClosed(listener: RemoteListener, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    listener.onClose(resolve);
    ended.addEventListener('abort', () => listener.close(), { once: true });
  });
}
