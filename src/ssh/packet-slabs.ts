/**
 * Memory for the packets of bulk, used again and again: a buffer made anew for each costs the allocator and the collector more than the
 * copying. A slab is one connection's from the first packet of a tick until all of it has been taken by the system.
 */
import { noteMade } from '../platform/collect-buffers.ts';

/** Twice what one read brings, and so what leaves in most ticks; what is more is made anew. */
const slabBytes = 128 * 1024;
/** A small packet that waits would hold all of its slab. */
const leastBytes = 8 * 1024;
/** One would do, but for connections that send in the same tick. */
const maxFree = 4;

interface Slab {
  readonly memory: Buffer;
  used: number;
}

function makeSlab(): Slab {
  noteMade(slabBytes);
  return { memory: Buffer.allocUnsafeSlow(slabBytes), used: 0 };
}

const free: Slab[] = [];
/** Of the connection whose packet is being made. */
let current: PacketSlabs | undefined;

/** Of one connection. */
export class PacketSlabs {
  #slab: Slab | undefined;

  /** Calls `send`; packets that are made meanwhile lie in a slab. They must have been given to the transport when it returns. */
  during(send: () => void): void {
    current = this;
    try {
      send();
    } finally {
      current = undefined;
    }
  }

  take(bytes: number): Buffer | undefined {
    if (bytes < leastBytes) return undefined;
    this.#slab ??= free.pop() ?? makeSlab();
    const { memory, used } = this.#slab;
    if (used + bytes > memory.length) return undefined;
    this.#slab.used += bytes;
    return memory.subarray(used, used + bytes);
  }

  /** `isTaken`: the transport holds nothing of what was sent any more; else nobody uses the slab again. */
  leave(isTaken: boolean): void {
    if (!this.#slab) return;
    this.#slab.used = 0;
    if (isTaken && free.length < maxFree) free.push(this.#slab);
    this.#slab = undefined;
  }
}

/** Memory for a packet: whatever was there before is in it. */
export function packetMemory(bytes: number): Buffer {
  return current?.take(bytes) ?? Buffer.allocUnsafe(bytes);
}
