import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Connection } from 'ssh2';
import { noteMade } from '../platform/collect-buffers.ts';
import { heldOf, type Taking, takeBy } from '../platform/lent-reads.ts';
import type { Ssh2Decipher } from './long-packets.ts';
import { decipherOf } from './ssh2-internals.ts';

/**
 * What is needed of what a client's socket has brought, which it reads into memory that is used again (`platform/lent-reads`): packets lie
 * there while they are handled, and data lies there until whoever reads the channel has taken it. Its numbers are bytes of data.
 */
export class TakenPackets {
  readonly #client: Connection;
  readonly #transport: Readable;
  #decipher: Ssh2Decipher | undefined;
  /** Sequence number up to which all packets were handled. */
  #handledTo = 0;
  /** To all channels, ever. */
  #given = 0;
  /** What was given when all had been taken, and to whom anything was since. */
  #clean = 0;
  #receivers: Readable[] = [];

  constructor(client: Connection, transport: Readable) {
    this.#client = client;
    this.#transport = transport;
    this.#beginAnew();
  }

  /** Nobody keeps anything of the packet that is handled just now, but whoever reads the channel that it was data for. */
  handled(data?: { readonly channel: Readable; readonly bytes: number }): void {
    this.#handledTo = (this.#handledTo + 1) >>> 0;
    if (!data) return;
    this.#given += data.bytes;
    if (!this.#receivers.includes(data.channel)) this.#receivers.push(data.channel);
  }

  /** The channel is gone: what is still needed of its data belongs to whoever needs it, for nobody tells when it is not any more. */
  left(channel: Readable): void {
    if (!this.#receivers.includes(channel) || heldOf(channel) === 0) return;
    this.#receivers = [];
    this.#clean = this.#given;
    // It may have left in the midst of what is being read.
    this.#decipher = undefined;
    this.#beginAnew();
  }

  /** With memory that nobody has. */
  #beginAnew(): void {
    const taking: Taking = { settle: () => this.#settle(), taken: () => this.#taken() };
    // Who reads the channel that is the transport of an inner connection keeps what of it nobody knows.
    if (this.#transport instanceof Socket) takeBy(this.#transport, taking);
  }

  #settle(): number {
    const decipher = decipherOf(this.#client);
    const { inSeqno, _packet: part, _pktLen: partBytes, _len: wholeBytes } = decipher;
    // Who keeps what of all other packets is not known; there are few of them.
    const isHandled = decipher === this.#decipher && inSeqno === this.#handledTo;
    this.#decipher = decipher;
    this.#handledTo = inSeqno;
    if (part) noteMade(part.length);
    // Until all of the last packet has come, but for its MAC, it is a copy.
    const isCopy = !part || partBytes < wholeBytes;
    return isHandled && isCopy ? this.#given : Number.POSITIVE_INFINITY;
  }

  #taken(): number {
    const held = this.#receivers.reduce((sum, channel) => sum + heldOf(channel), 0);
    if (held === 0) {
      this.#clean = this.#given;
      this.#receivers = [];
    }
    // One channel's data is taken in the order in which it came; of several nobody knows which.
    return this.#receivers.length > 1 ? this.#clean : Math.max(this.#clean, this.#given - held);
  }
}
