/**
 * The PROXY protocol's header, versions 1 and 2 (haproxy's doc/proxy-protocol.txt): what a proxy says before the first
 * byte of a connection about whose it is.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { formatAddress, plainAddress } from '../platform/ip-address.ts';
import type { ConnectionEnds } from './connection-ends.ts';

export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  /** `length` bytes of it. `ends` is unset where the proxy speaks for itself (LOCAL), or knows nothing (UNKNOWN). */
  | { readonly kind: 'header'; readonly length: number; readonly ends?: ConnectionEnds };

const incomplete: ProxyHeader = { kind: 'incomplete' };
const malformed: ProxyHeader = { kind: 'malformed' };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const opening = Buffer.from('PROXY ');
/** With its CR LF. */
const longestLine = 107;

/** Of what has come so far; never throws. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, signature)) return bytes.length < 16 ? incomplete : parseBinary(bytes);
  if (begins(bytes, opening)) return parseLine(bytes);
  return malformed;
}

/** As far as there are bytes, but at the first wrong one not. */
const begins = (bytes: Buffer, wanted: Buffer) => {
  const length = Math.min(bytes.length, wanted.length);
  return bytes.subarray(0, length).equals(wanted.subarray(0, length));
};

function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end === -1) return bytes.length >= longestLine ? malformed : incomplete;
  const length = end + 2;
  const [, family, source = '', local = '', sourcePort = '', localPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', length };
  const isOfFamily = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const sound =
    more.length === 0 &&
    [source, local].every((address) => isOfFamily(address) && !address.includes('%')) &&
    [sourcePort, localPort].every((port) => /^(0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 65_535);
  if (!sound) return malformed;
  return { kind: 'header', length, ends: endsOf(source, local, Number(sourcePort), Number(localPort)) };
}

const addressBytesOf: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [2, 16],
]);

/** What follows the addresses, TLVs, is skipped. */
function parseBinary(bytes: Buffer): ProxyHeader {
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0xf;
  const family = bytes.readUInt8(13) >> 4;
  const transport = bytes.readUInt8(13) & 0xf;
  const length = 16 + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || family > 3 || transport > 2) return malformed;
  if (bytes.length < length) return incomplete;
  const size = addressBytesOf.get(family);
  // LOCAL, or a family that says no address of the Internet: the connection is taken as the proxy's own.
  if (command === 0 || size === undefined || transport !== 1) return { kind: 'header', length };
  const portsAt = 16 + 2 * size;
  if (length < portsAt + 4) return malformed;
  const address = (index: number) =>
    formatAddress(bytes.subarray(16 + index * size, 16 + (index + 1) * size));
  const ports = [bytes.readUInt16BE(portsAt), bytes.readUInt16BE(portsAt + 2)] as const;
  return { kind: 'header', length, ends: endsOf(address(0), address(1), ...ports) };
}

const endsOf = (source: string, local: string, sourcePort: number, localPort: number): ConnectionEnds => ({
  source: { address: plainAddress(source), port: sourcePort },
  local: { address: plainAddress(local), port: localPort },
});
