/** Forwards from and into a host, RFC 4254 §7, over the connection that is logged in to it. */
import type { Duplex } from 'node:stream';
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import type { Address } from '../../sessions/session.ts';
import type { HostConnection } from '../../targets/host-connection.ts';
import type { InboundConnection, PortDestination, RemoteListener } from '../../targets/target.ts';
import type { ChannelOpenHandler } from '../channel-open.ts';
import type { ConnectionLayer } from '../connection-layer.ts';
import { string, uint32, WireReader } from '../wire.ts';
import { channelStream } from './channel-stream.ts';
import { openedBefore } from './opened-before.ts';

export interface HostForwards extends Pick<HostConnection, 'dial' | 'dialSocket' | 'listen'> {
  /** Answers the host's `forwarded-tcpip`. */
  readonly forwardedTcpip: ChannelOpenHandler;
  close(): void;
}

interface Listening {
  readonly onConnection: (connection: InboundConnection) => void;
  readonly end: () => void;
}

/** `layer` is there when the first request comes. */
export function createHostForwards(
  host: string,
  layer: () => ConnectionLayer,
  answerWithinMs: number,
): HostForwards {
  const listeners = createHostListeners(host, layer);

  /** `named`: what people are told it was. */
  async function open(type: string, fields: Buffer, named: string): Promise<Duplex> {
    let reason = 'the connection to it was lost';
    const opening = layer().openChannel(type, fields, { eofAtFinish: true }, (refusal) => {
      reason = printable(excerpt(refusal.message, 200)) || 'it refused';
    });
    const inTime = AbortSignal.timeout(answerWithinMs);
    const channel = await openedBefore(inTime, opening);
    if (!channel && inTime.aborted) reason = 'no answer in time';
    if (channel) return channelStream(channel);
    throw new GatewayError('forward-failed', { destination: named, name: host, reason });
  }

  const dial = ({ host: address, port }: PortDestination, origin: Address) => {
    const to = [string(address || 'localhost'), uint32(port)];
    const from = [string(origin.address), uint32(origin.port)];
    return open('direct-tcpip', Buffer.concat([...to, ...from]), `${address}:${port}`);
  };

  const dialSocket = (path: string) => {
    // Two fields that are reserved.
    const fields = [string(path), string(''), uint32(0)];
    return open('direct-streamlocal@openssh.com', Buffer.concat(fields), path);
  };

  return {
    dial,
    dialSocket,
    listen: listeners.listen,
    forwardedTcpip({ data, accept, refuse }) {
      const listening = listeners.find(data.text(), data.uint32());
      if (!listening) return refuse('nobody listens there');
      const origin = { address: data.text(), port: data.uint32() };
      listening.onConnection({ stream: channelStream(accept({ eofAtFinish: true })), ...origin });
    },
    close: listeners.close,
  };
}

/** Where the host listens for us. */
function createHostListeners(host: string, layer: () => ConnectionLayer) {
  const listeners = new Map<string, Listening>();
  const keyOf = (address: string, port: number) => `${port} ${address}`;

  async function listen(
    place: PortDestination,
    onConnection: Listening['onConnection'],
  ): Promise<RemoteListener> {
    const { host: address } = place;
    const fields = (port: number) => Buffer.concat([string(address), uint32(port)]);
    let key = keyOf(address, place.port);
    const closeListeners: (() => void)[] = [];
    let closed = false;
    const end = () => {
      if (closed) return;
      closed = true;
      listeners.delete(key);
      for (const listener of closeListeners) listener();
    };
    const refused = (reason: string) => {
      const destination = `${address}:${place.port}`;
      return new GatewayError('forward-failed', { destination, name: host, reason });
    };
    if (listeners.has(key)) throw refused('it listens there already');
    // Before the answer: the first connection may come with it. Which port any is, only the answer says.
    if (place.port !== 0) listeners.set(key, { onConnection, end });
    const answer = await layer().ask('tcpip-forward', fields(place.port));
    const port = answer && boundPort(place, answer);
    if (place.port !== 0) listeners.delete(key);
    // Two listeners at one port could not be told apart, and one of them would never be closed.
    if (port === undefined || listeners.has(keyOf(address, port))) throw refused('it does not listen there');
    key = keyOf(address, port);
    listeners.set(key, { onConnection, end });
    return {
      place: { host: address, port },
      onClose(listener) {
        if (closed) listener();
        else closeListeners.push(listener);
      },
      close() {
        if (!closed) void layer().ask('cancel-tcpip-forward', fields(port));
        end();
      },
    };
  }

  return {
    listen,
    find: (address: string, port: number) => listeners.get(keyOf(address, port)),
    close() {
      for (const { end } of [...listeners.values()]) end();
    },
  };
}

/** Only to a request for any port the host says which, RFC 4254 §7.1. Undefined: it says none that there is. */
function boundPort({ port }: PortDestination, answer: Buffer): number | undefined {
  if (port !== 0) return port;
  const said = answer.length < 4 ? 0 : new WireReader(answer).uint32();
  return said >= 1 && said <= 65_535 ? said : undefined;
}
