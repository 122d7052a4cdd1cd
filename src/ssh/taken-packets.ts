import type { Connection } from 'ssh2';
import { noteMade } from '../platform/collect-buffers.ts';
import { isTaken } from '../platform/lent-reads.ts';
import type { Channel } from './channel.ts';
import type { Ssh2Decipher } from './long-packets.ts';
import { decipherOf } from './ssh2-internals.ts';

/**
 * Whether anybody needs what a transport has brought, where it reads into memory that is used again (`platform/lent-reads`): packets lie
 * there while they are handled, and data lies there until whoever reads the channel has taken it.
 */
export class TakenPackets {
  readonly #client: Connection;
  readonly #receivers = new Set<Channel>();
  #decipher: Ssh2Decipher | undefined;
  /** Sequence number up to which packets are known to be taken. */
  #takenTo = 0;

  constructor(client: Connection) {
    this.#client = client;
  }

  /** Of the packet that is handled just now nobody keeps anything, but perhaps the channel that it was data for. */
  handled(receiver?: Channel): void {
    this.#takenTo = (this.#takenTo + 1) >>> 0;
    if (receiver) this.#receivers.add(receiver);
  }

  /** To be asked after each read. */
  isTaken(): boolean {
    const decipher = decipherOf(this.#client);
    const { inSeqno, _packet: part, _pktLen: partBytes, _len: wholeBytes } = decipher;
    // Who keeps what of all other packets is not known; there are few of them.
    const isHandled = decipher === this.#decipher && inSeqno === this.#takenTo;
    // Until all of it has come, but for its MAC, it is a copy.
    const isCopy = !part || partBytes < wholeBytes;
    this.#decipher = decipher;
    this.#takenTo = inSeqno;
    for (const channel of this.#receivers) if (isTaken(channel)) this.#receivers.delete(channel);
    if (part) noteMade(part.length);
    return isHandled && isCopy && this.#receivers.size === 0;
  }
}
