/**
 * The connection protocol of one authenticated connection, RFC 4254: channels and global requests,
 * from maps of wire name to handler. What is absent from a map is refused.
 */
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { noteCarried } from '../platform/collect-buffers.ts';
import { Channel, type ChannelNumbers, type ChannelOptions, type ChannelWire } from './channel.ts';
import { channelMessages } from './channel-messages.ts';
import { type ChannelOffers, createChannelOffers } from './channel-offers.ts';
import {
  admitOpen,
  type ChannelOpenHandler,
  OpenRefused,
  openConfirmation,
  openRefusal,
  prohibited,
  readOpen,
} from './channel-open.ts';
import { disconnectReason, message, openFailure } from './messages.ts';
import { Outbox } from './outbox.ts';
import { createOwnGlobalRequests, type OwnGlobalRequests } from './own-global-requests.ts';
import { type Rekeying, type RekeyLimits, rekeyAutomatically } from './rekeying.ts';
import { sendDisconnect, takeOverConnectionProtocol, unimplementedBy } from './ssh2-internals.ts';
import { TakenPackets } from './taken-packets.ts';
import { byte, MalformedMessage, WireReader } from './wire.ts';

/** True, or data for the reply: success. */
export type GlobalAnswer = boolean | Buffer;
/** The data is read before anything is waited for. Answers leave in the order of the requests, RFC 4254 §4. */
export type GlobalRequestHandler = (data: WireReader) => GlobalAnswer | Promise<GlobalAnswer>;

/** Requests that wait for their answer. OpenSSH sends one for each of its -R at once. */
const maxWaitingRequests = 256;

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
  #waitingRequests = 0;
  #lastAnswer: Promise<unknown> = Promise.resolve();
  readonly #offers: ChannelOffers;
  readonly #asked: OwnGlobalRequests;
  #lost = false;
  /** The connection is being ended for a fault: nothing more of the peer is taken. */
  #failing = false;
  readonly #handlers: ReadonlyMap<number, (reader: WireReader) => void>;
  readonly #rekeying: Rekeying;
  readonly #outbox: Outbox;
  readonly #taken: TakenPackets;

  constructor(options: ConnectionLayerOptions) {
    this.#options = options;
    this.#taken = new TakenPackets(options.client, options.transport);
    this.#offers = createChannelOffers(this);
    this.#asked = createOwnGlobalRequests((payload) => this.send(payload));
    this.#handlers = new Map([
      [message.globalRequest, (reader) => this.#globalRequest(reader)],
      [message.requestSuccess, (reader) => this.#asked.answered(reader.rest())],
      [message.requestFailure, () => this.#asked.answered(undefined)],
      [message.channelOpen, (reader) => this.#channelOpen(reader)],
      [message.channelOpenConfirmation, (reader) => this.#offers.confirmed(reader)],
      [message.channelOpenFailure, (reader) => this.#offers.refused(reader)],
      ...channelMessages((number) => this.#channels.get(number), this.#taken),
    ]);
    this.#rekeying = rekeyAutomatically(options.client, options.rekeyLimits, () =>
      this.fail('new keys were asked for, and no answer came'),
    );
    this.#outbox = new Outbox({
      client: options.client,
      transport: options.transport,
      onData: (bytes) => this.#count(bytes),
      onOverflow: () => this.fail('too much to answer while new keys are awaited'),
    });
    takeOverConnectionProtocol(options.client, (payload) => this.#receive(payload));
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** The transport is gone: every channel ends. */
  connectionLost(): void {
    this.#lost = true;
    this.#rekeying.stop();
    this.#offers.close();
    this.#asked.close();
    for (const channel of [...this.#channels.values()]) channel.connectionLost();
    this.#outbox.close();
  }

  send(payload: Buffer): void {
    this.#outbox.send(payload);
  }

  sendData(channel: number, data: Buffer): void {
    this.#outbox.sendData(channel, data);
  }

  sendStderr(channel: number, data: Buffer): void {
    this.#outbox.sendStderr(channel, data);
  }

  flush(): void {
    this.#outbox.flush();
  }

  isWritable(): boolean {
    return this.#outbox.isWritable();
  }

  onWritable(listener: () => void): void {
    this.#outbox.onWritable(listener);
  }

  fail(problem: string): void {
    if (this.#lost || this.#failing) return;
    this.#failing = true;
    sendDisconnect(this.#options.client, disconnectReason.protocolError, problem);
    this.#options.onFailure(new Error(`protocol error by the peer: ${problem}`));
  }

  release(channel: Channel): void {
    this.#channels.delete(channel.numbers.local);
    this.#taken.left(channel);
  }

  /** Settles when all global requests that came so far are answered; undefined: they are. */
  get answering(): Promise<unknown> | undefined {
    return this.#waitingRequests === 0 ? undefined : this.#lastAnswer;
  }

  /** A global request of ours; resolves to the data of its answer, undefined: refused, or the connection is lost. */
  ask(name: string, data: Buffer): Promise<Buffer | undefined> {
    return this.#asked.ask(name, data);
  }

  /** Opens a channel to the peer, RFC 4254 §5.1; undefined when it refuses, for what `onRefused` is told, or is gone. */
  openChannel(
    type: string,
    data: Buffer,
    options: ChannelOptions,
    onRefused: (refusal: OpenRefused) => void = () => {},
  ): Promise<Channel | undefined> {
    return new Promise((resolve) => {
      if (this.#lost) return resolve(undefined);
      const local = this.#nextChannel++;
      // In the very tick of the answer: the channel's first data may come with it.
      this.#offers.offer(type, local, data, (peer) => {
        if (peer instanceof OpenRefused) onRefused(peer);
        if (!peer || peer instanceof OpenRefused || this.#lost) return resolve(undefined);
        const channel = new Channel(this, { local, ...peer }, options);
        this.#channels.set(local, channel);
        resolve(channel);
      });
    });
  }

  #receive(payload: Buffer): void {
    if (this.#lost || this.#failing) return;
    this.#count(payload.length);
    try {
      const handle = this.#handlers.get(payload[0] as number);
      if (handle) handle(new WireReader(payload, 1));
      else this.send(unimplementedBy(this.#options.client));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** What a handler threw: the peer's fault where it could not read the message to its end. */
  #failed(error: unknown): void {
    if (error instanceof MalformedMessage) return this.fail(error.message);
    this.#failing = true;
    this.#options.onFailure(error as Error);
  }

  #count(bytes: number): void {
    this.#rekeying.count(bytes);
    noteCarried(bytes);
  }

  #globalRequest(reader: WireReader): void {
    const name = reader.text();
    const wantReply = reader.boolean();
    const answer = this.#options.globalRequests.get(name)?.(reader) ?? false;
    if (this.#waitingRequests === 0 && !(answer instanceof Promise)) return this.#answer(wantReply, answer);
    this.#waitingRequests++;
    // Also where no reply is wanted: it is work all the same.
    if (this.#waitingRequests > maxWaitingRequests) this.fail('too many global requests at once');
    this.#lastAnswer = Promise.all([answer, this.#lastAnswer])
      .then(([given]) => this.#answer(wantReply, given))
      .catch((error) => this.#failed(error))
      .finally(() => this.#waitingRequests--);
  }

  #answer(wantReply: boolean, answer: GlobalAnswer): void {
    if (!wantReply || this.#lost) return;
    if (answer === false) this.send(byte(message.requestFailure));
    else this.send(Buffer.concat([byte(message.requestSuccess), answer === true ? Buffer.alloc(0) : answer]));
  }

  #channelOpen(reader: WireReader): void {
    const { type, peer } = readOpen(reader);
    const hasRoom = this.#channels.size + this.#opening < this.#options.maxChannels;
    const handler = admitOpen(this.#options.channelOpens.get(type), peer.remoteMaxPacket, hasRoom);
    if (handler instanceof OpenRefused) return this.#refuse(peer.remote, handler);
    this.#opening++;
    let confirmed = false;
    const accept = (options: ChannelOptions) => {
      confirmed = true;
      return this.#confirm({ local: this.#nextChannel++, ...peer }, options);
    };
    Promise.resolve()
      .then(() => handler({ data: reader, accept, refuse: prohibited }))
      .catch((error) => (confirmed ? this.#failed(error) : this.#refuse(peer.remote, error)))
      .finally(() => this.#opening--);
  }

  #confirm(numbers: ChannelNumbers, options: ChannelOptions): Channel {
    const channel = new Channel(this, numbers, options);
    if (this.#lost) {
      channel.connectionLost();
      return channel;
    }
    this.#channels.set(numbers.local, channel);
    this.send(openConfirmation(numbers, channel.receiveWindow.left));
    // The peer waits for it; what is prepared for the channel meanwhile, nobody.
    this.flush();
    return channel;
  }

  #refuse(remote: number, error: unknown): void {
    const isRefusal = error instanceof OpenRefused;
    if (!isRefusal) this.#failed(error);
    if (error instanceof MalformedMessage) return;
    this.send(
      openRefusal(remote, isRefusal ? error : new OpenRefused(openFailure.connectFailed, 'internal error')),
    );
  }
}
