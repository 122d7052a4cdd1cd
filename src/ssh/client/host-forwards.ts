/** Forwards from and into a host, over the connection that is logged in to it. */
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import type { HostConnection } from '../../targets/host-connection.ts';
import type { ForwardDestination, InboundConnection, RemoteListener } from '../../targets/target.ts';
import type { ChannelOpenHandler } from '../channel-open.ts';
import type { ConnectionLayer } from '../connection-layer.ts';
import { WireReader } from '../wire.ts';
import { channelStream } from './channel-stream.ts';
import { portKey, socketKey, wireOf } from './forward-wire.ts';

export interface HostForwards extends Pick<HostConnection, 'dial' | 'listen'> {
  /** Answer the channels that the host opens for connections to where we listen there. */
  readonly channelOpens: readonly (readonly [string, ChannelOpenHandler])[];
  close(): void;
}

type OnConnection = (connection: InboundConnection) => void;

/** One place in the host where we listen. */
interface Listening {
  readonly onConnection: OnConnection;
  readonly end: () => void;
  readonly onEnd: (listener: () => void) => void;
}

/** `layer` is there when the first request comes. */
export function createHostForwards(host: string, layer: () => ConnectionLayer): HostForwards {
  const listeners = new Map<string, Listening>();
  const failed = (destination: string, reason: string) =>
    new GatewayError('forward-failed', { destination, name: host, reason });

  const dial: HostForwards['dial'] = async (destination, origin) => {
    const { text, channelType, channelData } = wireOf(destination);
    let reason = 'the connection to it was lost';
    const options = { eofAtFinish: true };
    const channel = await layer().openChannel(channelType, channelData(origin), options, (refusal) => {
      reason = printable(excerpt(refusal.message, 200)) || 'it refused';
    });
    if (channel) return channelStream(channel);
    throw failed(text, reason);
  };

  const listen: HostForwards['listen'] = async (wanted, onConnection) => {
    const { key, listenRequest, listenData, text } = wireOf(wanted);
    if (listeners.has(key)) throw failed(text, 'it listens there already');
    const listening = createListening(onConnection);
    // Before the answer: the first connection may come with it.
    listeners.set(key, listening);
    listening.onEnd(() => listeners.delete(key));
    const answer = await layer().ask(listenRequest, listenData);
    if (!answer) {
      listening.end();
      throw failed(text, 'it does not listen there');
    }
    const place = boundPlace(wanted, answer);
    const bound = wireOf(place);
    listeners.delete(key);
    listeners.set(bound.key, listening);
    listening.onEnd(() => listeners.delete(bound.key));
    return {
      place,
      onClose: listening.onEnd,
      close() {
        if (listeners.get(bound.key) === listening) {
          void layer().ask(`cancel-${listenRequest}`, bound.listenData);
        }
        listening.end();
      },
    };
  };

  const inbound =
    (readKey: (data: WireReader) => string, readOrigin: (data: WireReader) => OriginOf): ChannelOpenHandler =>
    ({ data, accept, refuse }) => {
      const listening = listeners.get(readKey(data)) ?? refuse('nobody listens there');
      const origin = readOrigin(data);
      listening.onConnection({ stream: channelStream(accept({ eofAtFinish: true })), ...origin });
    };
  return {
    dial,
    listen,
    channelOpens: [
      [
        'forwarded-tcpip',
        inbound(
          (data) => portKey(data.text(), data.uint32()),
          (data) => ({ address: data.text(), port: data.uint32() }),
        ),
      ],
      [
        'forwarded-streamlocal@openssh.com',
        inbound(
          (data) => socketKey(data.text()),
          () => ({ address: '-', port: 0 }),
        ),
      ],
    ],
    close() {
      for (const { end } of [...listeners.values()]) end();
    },
  };
}

type OriginOf = Omit<InboundConnection, 'stream'>;

/** Only to a request for any port the host says which, RFC 4254 §7.1. */
const boundPlace = (wanted: ForwardDestination, answer: Buffer): RemoteListener['place'] =>
  'port' in wanted && wanted.port === 0 ? { ...wanted, port: new WireReader(answer).uint32() } : wanted;

function createListening(onConnection: OnConnection): Listening {
  const endListeners: (() => void)[] = [];
  let ended = false;
  return {
    onConnection,
    end() {
      if (ended) return;
      ended = true;
      for (const listener of endListeners) listener();
    },
    onEnd(listener) {
      if (ended) listener();
      else endListeners.push(listener);
    },
  };
}
