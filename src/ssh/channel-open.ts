/** SSH_MSG_CHANNEL_OPEN and its answers, RFC 4254 §5.1. */
import type { ErrorCode, GatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import { type Channel, type ChannelNumbers, type ChannelOptions, maxPacketBytes } from './channel.ts';
import { message, openFailure } from './messages.ts';
import { byte, string, uint32, type WireReader } from './wire.ts';

/** RFC 4254 sets no least packet size; below this a peer only wants to be costly (library-traps 2). */
export const minPacketBytes = 1024;

/** A refusal of a channel, told to the peer. */
export class OpenRefused extends Error {
  override readonly name = 'OpenRefused';
  readonly reason: number;

  constructor(reason: number, description: string) {
    super(description);
    this.reason = reason;
  }
}

export interface ChannelOpenRequest {
  readonly data: WireReader;
  /** Confirms the channel and hands it over. */
  accept(options: ChannelOptions): Channel;
  /** Throws; the peer is told `description`, as administratively prohibited. */
  refuse(description: string): never;
}

/** Accepts or throws OpenRefused; what it does afterwards with the channel is its own affair. */
export type ChannelOpenHandler = (request: ChannelOpenRequest) => void | Promise<void>;

/** Of a failure that is known: what could not be reached is told apart from what is not allowed. */
export function openRefusedBy({ code, message }: GatewayError): OpenRefused {
  const { administrativelyProhibited, connectFailed, resourceShortage } = openFailure;
  const reasons = new Map<ErrorCode, number>([
    ['forward-failed', connectFailed],
    ['host-unreachable', connectFailed],
    ['sidecar-unavailable', connectFailed],
    ['container-not-running', connectFailed],
    ['container-gone', connectFailed],
    ['engine-unavailable', connectFailed],
    ['engine-failed', connectFailed],
    ['no-such-user', connectFailed],
    ['too-many-forwards', resourceShortage],
  ]);
  return new OpenRefused(reasons.get(code) ?? administrativelyProhibited, printable(message));
}

/** Throws OpenRefused, as administratively prohibited. */
export function prohibited(description: string): never {
  throw new OpenRefused(openFailure.administrativelyProhibited, description);
}

/** The peer's side of the channel to be. */
export function readOpen(reader: WireReader): { type: string; peer: Omit<ChannelNumbers, 'local'> } {
  const type = reader.text();
  const peer = { remote: reader.uint32(), remoteWindow: reader.uint32(), remoteMaxPacket: reader.uint32() };
  return { type, peer };
}

/** The handler, unless such a channel is refused whatever it is for. */
export function admitOpen(
  handler: ChannelOpenHandler | undefined,
  remoteMaxPacket: number,
  hasRoom: boolean,
): ChannelOpenHandler | OpenRefused {
  const { unknownChannelType, resourceShortage } = openFailure;
  if (!handler) return new OpenRefused(unknownChannelType, 'this type of channel is not offered');
  if (remoteMaxPacket < minPacketBytes) {
    return new OpenRefused(resourceShortage, `packet size under ${minPacketBytes} bytes`);
  }
  return hasRoom ? handler : new OpenRefused(resourceShortage, 'too many channels on this connection');
}

/** SSH_MSG_CHANNEL_OPEN_CONFIRMATION. */
export function openConfirmation({ remote, local }: ChannelNumbers, windowBytes: number): Buffer {
  return Buffer.concat([
    byte(message.channelOpenConfirmation),
    uint32(remote),
    uint32(local),
    uint32(windowBytes),
    uint32(maxPacketBytes),
  ]);
}

/** SSH_MSG_CHANNEL_OPEN_FAILURE. */
export function openRefusal(remote: number, { reason, message: description }: OpenRefused): Buffer {
  return Buffer.concat([
    byte(message.channelOpenFailure),
    uint32(remote),
    uint32(reason),
    string(description),
    string(''),
  ]);
}
