/** `tcpip-forward`, `cancel-tcpip-forward` and the `forwarded-tcpip` channels they lead to, RFC 4254 §7. */
import type { Identity } from '../auth/identity.ts';
import { isGatewayError } from '../errors.ts';
import type { PeerConnection } from '../sessions/peer.ts';
import type { OfferConnection, OpenRemoteForward } from '../sessions/remote-forward.ts';
import type { RemoteListener } from '../targets/target.ts';
import type { ConnectionLayer, GlobalRequestHandler } from './connection-layer.ts';
import { forwardPeerOf } from './direct-tcpip.ts';
import type { ForwardSlots } from './forward-slots.ts';
import { string, uint32 } from './wire.ts';

export interface TcpipForwardOptions {
  readonly connection: PeerConnection;
  readonly identity: Identity;
  readonly openRemoteForward: OpenRemoteForward;
  readonly slots: ForwardSlots;
  /** Opens the channel to the peer; there when the first request comes. */
  readonly layer: () => ConnectionLayer | undefined;
}

/** `close` ends all listening, when the connection is gone. */
export function tcpipForwards(options: TcpipForwardOptions): {
  readonly requests: ReadonlyMap<string, GlobalRequestHandler>;
  readonly close: () => void;
} {
  const { connection, identity, openRemoteForward, slots } = options;
  const listeners = new Map<string, RemoteListener>();
  let closed = false;
  const keyOf = (host: string, port: number) => `${port} ${host}`;
  const offer = offerTo(options);

  const start: GlobalRequestHandler = async (data) => {
    const host = data.text();
    const port = data.uint32();
    const giveBack = listeners.has(keyOf(host, port)) ? undefined : slots.take();
    if (!giveBack) return false;
    try {
      const listener = await openRemoteForward(connection, identity, { host, port }, offer);
      const key = keyOf(host, listener.port);
      listeners.set(key, listener);
      listener.onClose(() => {
        listeners.delete(key);
        giveBack();
      });
      if (closed) listener.close();
      // Only who asked for any port is told which, RFC 4254 §7.1.
      return port === 0 ? uint32(listener.port) : true;
    } catch (error) {
      giveBack();
      if (isGatewayError(error)) return false;
      throw error;
    }
  };
  const cancel: GlobalRequestHandler = (data) => {
    const listener = listeners.get(keyOf(data.text(), data.uint32()));
    listener?.close();
    return listener !== undefined;
  };
  return {
    requests: new Map([
      ['tcpip-forward', start],
      ['cancel-tcpip-forward', cancel],
    ]),
    close() {
      closed = true;
      for (const listener of listeners.values()) listener.close();
    },
  };
}

const offerTo =
  ({ slots, layer }: TcpipForwardOptions): OfferConnection =>
  async (place, origin) => {
    const giveBack = slots.take();
    if (!giveBack) return undefined;
    const data = [string(place.host), uint32(place.port), string(origin.address), uint32(origin.port)];
    const channel = await layer()?.openChannel('forwarded-tcpip', Buffer.concat(data), { eofAtFinish: true });
    if (!channel) {
      giveBack();
      return undefined;
    }
    if (channel.gone.aborted) giveBack();
    else channel.gone.addEventListener('abort', giveBack, { once: true });
    return forwardPeerOf(channel);
  };
