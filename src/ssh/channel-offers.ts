/** Channels that we open to the peer, until it has answered: RFC 4254 §5.1. */
import { type ChannelNumbers, type ChannelWire, maxPacketBytes } from './channel.ts';
import { minPacketBytes, OpenRefused } from './channel-open.ts';
import { message } from './messages.ts';
import { windowBytes } from './receive-window.ts';
import { byte, string, uint32, type WireReader } from './wire.ts';

type PeersNumbers = Omit<ChannelNumbers, 'local'>;
/** Undefined: the peer is gone. */
type Answer = PeersNumbers | OpenRefused | undefined;

export interface ChannelOffers {
  offer(type: string, local: number, data: Buffer, onAnswer: (answer: Answer) => void): void;
  confirmed(reader: WireReader): void;
  refused(reader: WireReader): void;
  close(): void;
}

export function createChannelOffers(wire: Pick<ChannelWire, 'send' | 'fail'>): ChannelOffers {
  const offered = new Map<number, (answer: Answer) => void>();
  const settle = (local: number, answer: Answer) => {
    const onAnswer = offered.get(local);
    offered.delete(local);
    onAnswer?.(answer);
  };
  return {
    offer(type, local, data, onAnswer) {
      offered.set(local, onAnswer);
      const open = [byte(message.channelOpen), string(type), uint32(local), uint32(windowBytes)];
      wire.send(Buffer.concat([...open, uint32(maxPacketBytes), data]));
    },
    confirmed(reader) {
      const local = reader.uint32();
      const peer = {
        remote: reader.uint32(),
        remoteWindow: reader.uint32(),
        remoteMaxPacket: reader.uint32(),
      };
      if (peer.remoteMaxPacket >= minPacketBytes) return settle(local, peer);
      settle(local, undefined);
      wire.fail(`packet size under ${minPacketBytes} bytes`);
    },
    refused: (reader) => settle(reader.uint32(), new OpenRefused(reader.uint32(), reader.text())),
    close() {
      for (const local of [...offered.keys()]) settle(local, undefined);
    },
  };
}
