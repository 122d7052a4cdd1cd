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
import type { GlobalAnswer, GlobalRequestHandler } from './connection-layer.ts';
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

  const inOrder = onePlaceInOrder();

  async function start(place: ForwardDestination): Promise<GlobalAnswer> {
    const giveBack = listeners.has(keyOf(place)) ? undefined : slots.take();
    if (!giveBack) return false;
    try {
      const listener = await openRemoteForward(connection, identity, place, offer);
      const key = keyOf(listener.place);
      listeners.set(key, listener);
      listener.onClose(() => {
        // Another one may listen there by now.
        if (listeners.get(key) === listener) listeners.delete(key);
        giveBack();
      });
      if (closed) listener.close();
      return answerTo(place, listener.place);
    } catch (error) {
      giveBack();
      if (isGatewayError(error)) return false;
      throw error;
    }
  }
  function cancel(place: ForwardDestination): GlobalAnswer {
    const key = keyOf(place);
    const listener = listeners.get(key);
    // Closing takes a while, in which there is nothing any more to cancel.
    listeners.delete(key);
    listener?.close();
    return listener !== undefined;
  }
  const requests = [...kinds].flatMap(([name, readPlace]): [string, GlobalRequestHandler][] => [
    [name, (data) => inOrder(readPlace(data), start)],
    [`cancel-${name}`, (data) => inOrder(readPlace(data), cancel)],
  ]);
  return {
    requests: new Map(requests),
    close() {
      closed = true;
      for (const listener of listeners.values()) listener.close();
    },
  };
}

type Act = (place: ForwardDestination) => GlobalAnswer | Promise<GlobalAnswer>;

/**
 * Carries out what is asked of one place in the order in which it was asked, RFC 4254 §4: what cancels a listener, or asks for it again, may
 * come before it listens. What is asked of others does not wait for it.
 */
function onePlaceInOrder(): (place: ForwardDestination, act: Act) => GlobalAnswer | Promise<GlobalAnswer> {
  const last = new Map<string, Promise<GlobalAnswer>>();
  return (place, act) => {
    const key = keyOf(place);
    const before = last.get(key);
    const answer = before ? before.catch(() => {}).then(() => act(place)) : act(place);
    // Any port is another one each time.
    if (!(answer instanceof Promise) || (!isSocket(place) && place.port === 0)) return answer;
    last.set(key, answer);
    const forget = () => {
      if (last.get(key) === answer) last.delete(key);
    };
    answer.then(forget, forget);
    return answer;
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
