import type { Channel } from './channel.ts';
import { message } from './messages.ts';
import type { TakenPackets } from './taken-packets.ts';
import type { WireReader } from './wire.ts';

/** By number: the messages of channels that are open, RFC 4254 §5.2 to §5.4. */
export function channelMessages(
  channelOf: (number: number) => Channel | undefined,
  taken: TakenPackets,
): readonly (readonly [number, (reader: WireReader) => void])[] {
  const onChannel = (act: (channel: Channel, reader: WireReader) => void) => (reader: WireReader) => {
    const channel = channelOf(reader.uint32());
    // Messages that crossed our CLOSE find no channel any more.
    if (channel) act(channel, reader);
  };
  const adjustWindow = (channel: Channel, reader: WireReader) => {
    channel.receiveWindowAdjust(reader.uint32());
    taken.handled();
  };
  const takeData = (channel: Channel, reader: WireReader) => {
    const data = reader.bytes();
    channel.receiveData(data);
    taken.handled({ channel, bytes: data.length });
  };
  return [
    [message.channelWindowAdjust, onChannel(adjustWindow)],
    [message.channelData, onChannel(takeData)],
    [
      message.channelExtendedData,
      onChannel((channel, reader) => channel.receiveExtendedData(reader.uint32(), reader.bytes())),
    ],
    [message.channelEof, onChannel((channel) => channel.receiveEof())],
    [message.channelClose, onChannel((channel) => channel.receiveClose())],
    [
      message.channelRequest,
      onChannel((channel, reader) => channel.receiveRequest(reader.text(), reader.boolean(), reader)),
    ],
    [message.channelSuccess, onChannel((channel) => channel.receiveReply(true))],
    [message.channelFailure, onChannel((channel) => channel.receiveReply(false))],
  ];
}
