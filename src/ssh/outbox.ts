/**
 * What leaves a connection: joined into few writes, at the pace at which the peer reads, and bounded while keys
 * are exchanged, when ssh2 queues whatever it is given until the peer has done its part (RFC 4253 §7.1).
 */
import type { Duplex } from 'node:stream';
import type { Connection } from 'ssh2';
import { PacketSlabs } from './packet-slabs.ts';
import { isExchangingKeys, sendChannelData, sendChannelStderr, sendPayload } from './ssh2-internals.ts';

/** Above this much unsent data in the socket, channels wait for it to drain. */
const socketHighWaterBytes = 1024 * 1024;
/** Above this much unsent data, more than channels may write, the peer is not read from until it has read. */
const pauseAboveBytes = 2 * socketHighWaterBytes;
/** Answers to what comes between our KEXINIT and the peer's. */
const maxQueuedForKeys = 10_000;

export interface OutboxOptions {
  readonly client: Connection;
  readonly transport: Duplex;
  /** Called with the size of channel data that leaves. */
  readonly onData: (bytes: number) => void;
  /** The peer asks and asks while it owes us its part of a key exchange. */
  readonly onOverflow: () => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #corked = false;
  #closed = false;
  #queuedForKeys = 0;
  readonly #slabs = new PacketSlabs();
  #writableListeners: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.transport.on('drain', () => {
      options.transport.resume();
      this.#wakeWriters();
    });
    options.client.on('rekey', () => {
      this.#queuedForKeys = 0;
      this.#wakeWriters();
    });
  }

  /** Nothing can be sent any more. */
  close(): void {
    this.#closed = true;
    this.#writableListeners = [];
  }

  /** A message that is no channel's data; `payload` begins with its number. */
  send(payload: Buffer): void {
    if (!this.#begin()) return;
    const { client, transport, onOverflow } = this.#options;
    if (isExchangingKeys(client) && ++this.#queuedForKeys > maxQueuedForKeys) return onOverflow();
    sendPayload(client, payload);
    // Somebody who asks and asks, and reads no answers, is not read from either.
    if (transport.writableLength > pauseAboveBytes) transport.pause();
  }

  sendData(channel: number, data: Buffer): void {
    if (!this.#begin()) return;
    this.#options.onData(data.length);
    this.#slabs.during(() => sendChannelData(this.#options.client, channel, data));
  }

  sendStderr(channel: number, data: Buffer): void {
    if (!this.#begin()) return;
    this.#options.onData(data.length);
    this.#slabs.during(() => sendChannelStderr(this.#options.client, channel, data));
  }

  /** Whether channel data may be sent now; if not, `onWritable` calls back. */
  isWritable(): boolean {
    const { client, transport } = this.#options;
    return transport.writableLength < socketHighWaterBytes && !isExchangingKeys(client);
  }

  /** Calls back once, when the transport has drained or new keys are in use. */
  onWritable(listener: () => void): void {
    this.#writableListeners.push(listener);
  }

  /** What was sent so far leaves now: the tick goes on with what nobody waits for. */
  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    const { transport } = this.#options;
    transport.uncork();
    this.#slabs.leave(transport.writableLength === 0 && !transport.destroyed);
  }

  #wakeWriters(): void {
    const listeners = this.#writableListeners;
    this.#writableListeners = [];
    for (const listener of listeners) listener();
  }

  /** Joins what is written in one tick into few socket writes, which is most of a download's cost. */
  #begin(): boolean {
    const { transport } = this.#options;
    if (this.#closed || transport.destroyed || transport.writableEnded) return false;
    if (!this.#corked) {
      this.#corked = true;
      transport.cork();
      process.nextTick(() => this.flush());
    }
    return true;
  }
}
