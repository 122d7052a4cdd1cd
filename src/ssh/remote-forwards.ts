/**
 * Where we listen for the peer: `tcpip-forward` (RFC 4254 §7) and OpenSSH's `streamlocal-forward@openssh.com`
 * (PROTOCOL 2.4), what cancels them, and the channels they lead to.
 */
import type { Identity } from '../auth/identity.ts';
import { isGatewayError } from '../errors.ts';
import { isSocket } from '../sessions/forwarding.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { OfferConnection, OpenRemoteForward } from '../sessions/remote-forward.ts';
import type { ForwardDestination, RemoteListener } from '../targets/target.ts';
import type { GlobalRequestHandler } from './connection-layer.ts';
import type { ForwardSlots } from './forward-slots.ts';
import type { OpenPeerChannel } from './peer-channels.ts';
import { string, uint32, type WireReader } from './wire.ts';

export interface RemoteForwardsOptions {
  readonly connection: PeerConnection;
  readonly identity: Identity;
  readonly openRemoteForward: OpenRemoteForward;
  readonly slots: ForwardSlots;
  readonly openPeerChannel: OpenPeerChannel;
}

type ReadPlace = (data: WireReader) => ForwardDestination;

/** By the name of the request, which `cancel-` precedes to end it. */
const kinds: ReadonlyMap<string, ReadPlace> = new Map<string, ReadPlace>([
  ['tcpip-forward', (data) => ({ host: data.text(), port: data.uint32() })],
  ['streamlocal-forward@openssh.com', (data) => ({ path: data.text() })],
]);

const keyOf = (place: ForwardDestination) =>
  isSocket(place) ? `unix ${place.path}` : `${place.port} ${place.host}`;

/** `close` ends all listening, when the connection is gone. */
export function remoteForwards(options: RemoteForwardsOptions): {
  readonly requests: ReadonlyMap<string, GlobalRequestHandler>;
  readonly close: () => void;
} {
  const { connection, identity, openRemoteForward, slots } = options;
  const listeners = new Map<string, RemoteListener>();
  let closed = false;
  const offer = offerTo(options.openPeerChannel);

  const start =
    (readPlace: ReadPlace): GlobalRequestHandler =>
    async (data) => {
      const place = readPlace(data);
      const giveBack = listeners.has(keyOf(place)) ? undefined : slots.take();
      if (!giveBack) return false;
      try {
        const listener = await openRemoteForward(connection, identity, place, offer);
        const key = keyOf(listener.place);
        listeners.set(key, listener);
        listener.onClose(() => {
          listeners.delete(key);
          giveBack();
        });
        if (closed) listener.close();
        return answerTo(place, listener.place);
      } catch (error) {
        giveBack();
        if (isGatewayError(error)) return false;
        throw error;
      }
    };
  const cancel =
    (readPlace: ReadPlace): GlobalRequestHandler =>
    (data) => {
      const listener = listeners.get(keyOf(readPlace(data)));
      listener?.close();
      return listener !== undefined;
    };
  const requests = [...kinds].flatMap(([name, readPlace]): [string, GlobalRequestHandler][] => [
    [name, start(readPlace)],
    [`cancel-${name}`, cancel(readPlace)],
  ]);
  return {
    requests: new Map(requests),
    close() {
      closed = true;
      for (const listener of listeners.values()) listener.close();
    },
  };
}

/** Only who asked for any port is told which, RFC 4254 §7.1. */
const answerTo = (asked: ForwardDestination, bound: ForwardDestination): true | Buffer =>
  !isSocket(asked) && asked.port === 0 && !isSocket(bound) ? uint32(bound.port) : true;

const offerTo =
  (openPeerChannel: OpenPeerChannel): OfferConnection =>
  (place, origin) => {
    // OpenSSH's PROTOCOL 2.4: the path, and a field that is reserved.
    if (isSocket(place)) {
      const data = Buffer.concat([string(place.path), string('')]);
      return openPeerChannel('forwarded-streamlocal@openssh.com', data);
    }
    const data = [string(place.host), uint32(place.port), string(origin.address), uint32(origin.port)];
    return openPeerChannel('forwarded-tcpip', Buffer.concat(data));
  };
