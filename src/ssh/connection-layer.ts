/**
 * The connection protocol of one authenticated connection, RFC 4254: channels and global requests,
 * from maps of wire name to handler. What is absent from a map is refused.
 */
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { Channel, type ChannelNumbers, type ChannelWire, maxPacketBytes, windowBytes } from './channel.ts';
import { disconnectReason, message, openFailure } from './messages.ts';
import { type Rekeying, type RekeyLimits, rekeyAutomatically } from './rekeying.ts';
import {
  isExchangingKeys,
  sendChannelData,
  sendChannelStderr,
  sendDisconnect,
  sendPayload,
  takeOverConnectionProtocol,
} from './ssh2-internals.ts';
import { byte, MalformedMessage, string, uint32, WireReader } from './wire.ts';

/** Above this much unsent data in the socket, channels wait for it to drain. */
const socketHighWaterBytes = 1024 * 1024;
/** Above this much unsent data, more than channels may write, the peer is not read from until it has read. */
const pauseAboveBytes = 2 * socketHighWaterBytes;
/** Answers to what comes between our KEXINIT and the peer's. */
const maxQueuedForKeys = 10_000;
/** RFC 4254 sets no least packet size; below this a peer only wants to be costly (library-traps 2). */
const minPacketBytes = 1024;

/** A refusal of a channel, told to the peer. */
export class OpenRefused extends Error {
  override readonly name = 'OpenRefused';
  readonly reason: number;

  constructor(reason: number, description: string) {
    super(description);
    this.reason = reason;
  }
}

const prohibited = (description: string): never => {
  throw new OpenRefused(openFailure.administrativelyProhibited, description);
};

export interface ChannelOpenRequest {
  readonly data: WireReader;
  /** Confirms the channel and hands it over. */
  accept(options: { eofAtFinish: boolean }): Channel;
  /** Throws; the peer is told `description`, as administratively prohibited. */
  refuse(description: string): never;
}

/** Accepts or throws OpenRefused; what it does afterwards with the channel is its own affair. */
export type ChannelOpenHandler = (request: ChannelOpenRequest) => void | Promise<void>;
/** True, or data for the reply: success. */
export type GlobalRequestHandler = (data: WireReader) => boolean | Buffer;

export interface ConnectionLayerOptions {
  readonly client: Connection;
  readonly transport: Duplex;
  readonly channelOpens: ReadonlyMap<string, ChannelOpenHandler>;
  readonly globalRequests: ReadonlyMap<string, GlobalRequestHandler>;
  readonly maxChannels: number;
  readonly rekeyLimits: RekeyLimits;
  /** The peer broke the protocol, or a handler of ours threw; the connection is ended. */
  readonly onFailure: (error: Error) => void;
}

export class ConnectionLayer implements ChannelWire {
  readonly #options: ConnectionLayerOptions;
  readonly #channels = new Map<number, Channel>();
  /** Opens waiting for their handler count too, or slow look-ups would lift the limit. */
  #opening = 0;
  #nextChannel = 0;
  #corked = false;
  #lost = false;
  #queuedForKeys = 0;
  #writableListeners: (() => void)[] = [];
  readonly #handlers: ReadonlyMap<number, (reader: WireReader) => void>;
  readonly #rekeying: Rekeying;

  constructor(options: ConnectionLayerOptions) {
    this.#options = options;
    const onChannel = (act: (channel: Channel, reader: WireReader) => void) => (reader: WireReader) => {
      const channel = this.#channels.get(reader.uint32());
      // Messages that crossed our CLOSE find no channel any more.
      if (channel) act(channel, reader);
    };
    this.#handlers = new Map([
      [message.globalRequest, (reader) => this.#globalRequest(reader)],
      [message.channelOpen, (reader) => this.#channelOpen(reader)],
      [
        message.channelWindowAdjust,
        onChannel((channel, reader) => channel.receiveWindowAdjust(reader.uint32())),
      ],
      [message.channelData, onChannel((channel, reader) => channel.receiveData(reader.bytes()))],
      [message.channelEof, onChannel((channel) => channel.receiveEof())],
      [message.channelClose, onChannel((channel) => channel.receiveClose())],
      [
        message.channelRequest,
        onChannel((channel, reader) => channel.receiveRequest(reader.text(), reader.boolean(), reader)),
      ],
    ]);
    this.#rekeying = rekeyAutomatically(options.client, options.rekeyLimits, () =>
      this.fail('new keys were asked for, and no answer came'),
    );
    takeOverConnectionProtocol(options.client, (payload) => this.#receive(payload));
    const wakeWriters = () => {
      const listeners = this.#writableListeners;
      this.#writableListeners = [];
      for (const listener of listeners) listener();
    };
    options.transport.on('drain', () => {
      options.transport.resume();
      wakeWriters();
    });
    options.client.on('rekey', () => {
      this.#queuedForKeys = 0;
      wakeWriters();
    });
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** The transport is gone: every channel ends. */
  connectionLost(): void {
    this.#lost = true;
    this.#rekeying.stop();
    for (const channel of [...this.#channels.values()]) channel.connectionLost();
    this.#writableListeners = [];
  }

  send(payload: Buffer): void {
    if (!this.#mayWrite()) return;
    const { client, transport } = this.#options;
    if (isExchangingKeys(client) && ++this.#queuedForKeys > maxQueuedForKeys) {
      return this.fail('too much to answer while new keys are awaited');
    }
    sendPayload(client, payload);
    // Somebody who asks and asks, and reads no answers, is not read from either.
    if (transport.writableLength > pauseAboveBytes) transport.pause();
  }

  sendData(channel: number, data: Buffer): void {
    if (!this.#mayWrite()) return;
    this.#rekeying.count(data.length);
    sendChannelData(this.#options.client, channel, data);
  }

  sendStderr(channel: number, data: Buffer): void {
    if (!this.#mayWrite()) return;
    this.#rekeying.count(data.length);
    sendChannelStderr(this.#options.client, channel, data);
  }

  isWritable(): boolean {
    const { client, transport } = this.#options;
    return transport.writableLength < socketHighWaterBytes && !isExchangingKeys(client);
  }

  onWritable(listener: () => void): void {
    this.#writableListeners.push(listener);
  }

  fail(problem: string): void {
    if (this.#lost) return;
    sendDisconnect(this.#options.client, disconnectReason.protocolError, problem);
    this.#options.onFailure(new Error(`protocol error by the peer: ${problem}`));
  }

  release(channel: Channel): void {
    this.#channels.delete(channel.numbers.local);
  }

  /** Joins what is written in one tick into few socket writes, which is most of a download's cost. */
  #mayWrite(): boolean {
    const { transport } = this.#options;
    if (this.#lost || transport.destroyed || transport.writableEnded) return false;
    if (!this.#corked) {
      this.#corked = true;
      transport.cork();
      process.nextTick(() => {
        this.#corked = false;
        transport.uncork();
      });
    }
    return true;
  }

  #receive(payload: Buffer): void {
    if (this.#lost) return;
    this.#rekeying.count(payload.length);
    try {
      this.#handlers.get(payload[0] as number)?.(new WireReader(payload, 1));
    } catch (error) {
      if (error instanceof MalformedMessage) this.fail(error.message);
      else {
        sendDisconnect(this.#options.client, disconnectReason.byApplication, 'internal error');
        this.#options.onFailure(error as Error);
      }
    }
  }

  #globalRequest(reader: WireReader): void {
    const name = reader.text();
    const wantReply = reader.boolean();
    const answer = this.#options.globalRequests.get(name)?.(reader) ?? false;
    if (!wantReply) return;
    if (answer === false) this.send(byte(message.requestFailure));
    else this.send(Buffer.concat([byte(message.requestSuccess), answer === true ? Buffer.alloc(0) : answer]));
  }

  #channelOpen(reader: WireReader): void {
    const type = reader.text();
    const remote = reader.uint32();
    const remoteWindow = reader.uint32();
    const remoteMaxPacket = reader.uint32();
    const refuse = (error: unknown) => this.#refuseOpen(remote, error);
    const handler = this.#options.channelOpens.get(type);
    if (!handler)
      return refuse(new OpenRefused(openFailure.unknownChannelType, 'this type of channel is not offered'));
    if (remoteMaxPacket < minPacketBytes) {
      return refuse(
        new OpenRefused(openFailure.resourceShortage, `packet size under ${minPacketBytes} bytes`),
      );
    }
    if (this.#channels.size + this.#opening >= this.#options.maxChannels) {
      return refuse(new OpenRefused(openFailure.resourceShortage, 'too many channels on this connection'));
    }
    this.#opening++;
    let confirmed = false;
    const accept = (options: { eofAtFinish: boolean }) => {
      confirmed = true;
      return this.#confirm({ local: this.#nextChannel++, remote, remoteWindow, remoteMaxPacket }, options);
    };
    Promise.resolve()
      .then(() => handler({ data: reader, accept, refuse: prohibited }))
      .catch((error) => (confirmed ? this.#options.onFailure(error as Error) : refuse(error)))
      .finally(() => this.#opening--);
  }

  #confirm(numbers: ChannelNumbers, options: { eofAtFinish: boolean }): Channel {
    const channel = new Channel(this, numbers, options);
    if (this.#lost) {
      channel.connectionLost();
      return channel;
    }
    this.#channels.set(numbers.local, channel);
    this.send(
      Buffer.concat([
        byte(message.channelOpenConfirmation),
        uint32(numbers.remote),
        uint32(numbers.local),
        uint32(windowBytes),
        uint32(maxPacketBytes),
      ]),
    );
    return channel;
  }

  #refuseOpen(remote: number, error: unknown): void {
    const refusal =
      error instanceof OpenRefused ? error : new OpenRefused(openFailure.connectFailed, 'internal error');
    if (!(error instanceof OpenRefused)) this.#options.onFailure(error as Error);
    this.send(
      Buffer.concat([
        byte(message.channelOpenFailure),
        uint32(remote),
        uint32(refusal.reason),
        string(refusal.message),
        string(''),
      ]),
    );
  }
}
