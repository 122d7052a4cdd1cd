/** Headers of the PROXY protocol, as proxies send them and as attackers would. */
import { isIPv4 } from 'node:net';
import { addressBytes } from '../../src/platform/ip-address.ts';

export interface BinaryHeader {
  readonly source: string;
  readonly local: string;
  readonly ports: readonly [source: number, local: number];
  /** 1: PROXY, 0: LOCAL. */
  readonly command?: number;
  /** Family and transport in one byte. */
  readonly family?: number;
  readonly tlvs?: Buffer;
  /** 128 writes IPv4-mapped addresses. */
  readonly bits?: 32 | 128;
}

/** Version 2. */
export function binaryHeader({ source, local, ports, tlvs, ...rest }: BinaryHeader): Buffer {
  const bits = rest.bits ?? (isIPv4(source) ? 32 : 128);
  const addresses = [source, local].map((address) => padded(addressBytes(address) as Uint8Array, bits / 8));
  const portBytes = Buffer.from(ports.flatMap((port) => [port >> 8, port & 0xff]));
  const body = Buffer.concat([...addresses, portBytes, tlvs ?? Buffer.alloc(0)]);
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n....', 'latin1');
  head.writeUInt8(0x20 | (rest.command ?? 1), 12);
  head.writeUInt8(rest.family ?? (bits === 32 ? 0x11 : 0x21), 13);
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}

function padded(bytes: Uint8Array, size: number): Buffer {
  if (bytes.length === size) return Buffer.from(bytes);
  return Buffer.concat([Buffer.alloc(size - bytes.length - 2), Buffer.from([0xff, 0xff]), bytes]);
}
