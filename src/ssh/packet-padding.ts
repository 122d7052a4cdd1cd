/** The random padding of packets (RFC 4253 §6), out of a stock: ssh2 asks the system's generator anew for the few bytes of each packet. */
import { takeRandom } from '../platform/random-stock.ts';
import { packetMemory } from './packet-slabs.ts';

/** One of ssh2's ciphers; the second group is there where the cipher is chosen with its MAC. */
export interface Ssh2Cipher {
  allocPacket(payloadBytes: number): Buffer;
  readonly _encBlockLen?: number;
  readonly _aadLen?: number;
  readonly _macLen?: number;
}

interface Layout {
  readonly blockBytes: number;
  /** Of the packet's beginning, which is not encrypted and so no part of a block. */
  readonly plainBytes: number;
  readonly macBytes: number;
}

/** By the name of ssh2's class: before there are keys, and of those whose code is native. */
const layouts: Readonly<Record<string, (cipher: Ssh2Cipher) => Layout>> = {
  NullCipher: () => ({ blockBytes: 8, plainBytes: 0, macBytes: 0 }),
  AESGCMCipherBinding: () => ({ blockBytes: 16, plainBytes: 4, macBytes: 16 }),
  ChaChaPolyCipherBinding: () => ({ blockBytes: 8, plainBytes: 4, macBytes: 16 }),
  GenericCipherBinding: ({ _encBlockLen = 16, _aadLen = 0, _macLen = 0 }) => ({
    blockBytes: _encBlockLen,
    plainBytes: _aadLen,
    macBytes: _macLen,
  }),
};

const leastPaddingBytes = 4;
const headerBytes = 5;

const done = new WeakSet<object>();

/** From now on, all ciphers of this kind pad their packets out of the stock. */
export function padFromStock(cipher: Ssh2Cipher): void {
  const kind = Object.getPrototypeOf(cipher) as Ssh2Cipher;
  if (done.has(kind)) return;
  done.add(kind);
  const layoutOf = layouts[kind.constructor.name];
  if (!layoutOf) return;
  kind.allocPacket = function allocPacket(this: Ssh2Cipher, payloadBytes) {
    const { blockBytes, plainBytes, macBytes } = layoutOf(this);
    const unpadded = headerBytes + payloadBytes;
    let padding = blockBytes - ((unpadded - plainBytes) % blockBytes);
    if (padding < leastPaddingBytes) padding += blockBytes;
    const packet = packetMemory(unpadded + padding + macBytes);
    packet.writeUInt32BE(unpadded + padding - 4);
    packet[4] = padding;
    packet.set(takeRandom(padding), unpadded);
    return packet;
  };
}
