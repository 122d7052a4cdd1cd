/**
 * Memory for the packets of bulk, used again and again: a buffer made anew for each costs the allocator and the collector more than the
 * copying. A slab is one connection's from the first packet of a tick until all of it has been taken by the system.
 */
import { noteMade } from '../platform/collect-buffers.ts';

/** Four packets of the largest size. */
const slabBytes = 4 * (32 * 1024 + 128);
/** More than one read brings, and so what leaves in a tick; what is more is made anew. */
const maxAtOnce = 4;
/** A small packet that waits would hold all of its slab. */
const leastBytes = 8 * 1024;
/** For more than one connection that sends in the same tick. */
const maxFree = 6;

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
  #slabs: Slab[] = [];

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
    const slab = this.#withRoom(bytes);
    if (!slab) return undefined;
    const { memory, used } = slab;
    slab.used += bytes;
    return memory.subarray(used, used + bytes);
  }

  /** `isTaken`: the transport holds nothing of what was sent any more; else nobody uses the slabs again. */
  leave(isTaken: boolean): void {
    if (this.#slabs.length === 0) return;
    for (const slab of this.#slabs) {
      slab.used = 0;
      if (isTaken && free.length < maxFree) free.push(slab);
    }
    this.#slabs = [];
  }

  #withRoom(bytes: number): Slab | undefined {
    const last = this.#slabs.at(-1);
    if (last && last.used + bytes <= slabBytes) return last;
    if (bytes > slabBytes || this.#slabs.length >= maxAtOnce) return undefined;
    const next = free.pop() ?? makeSlab();
    this.#slabs.push(next);
    return next;
  }
}

/** Memory for a packet: whatever was there before is in it. */
export function packetMemory(bytes: number): Buffer {
  return current?.take(bytes) ?? Buffer.allocUnsafe(bytes);
}
