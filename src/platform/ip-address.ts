/** IP addresses as bytes, and the one way to write each. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** Without the zone of a link-local one; an IPv4-mapped IPv6 address is the IPv4 one (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  const bytes = addressBytes(address);
  return bytes === undefined ? address : formatAddress(bytes);
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** 4 or 16 bytes, 4 for an IPv4-mapped one; undefined for what is no address. */
export function addressBytes(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return new Uint8Array(address.split('.').map(Number));
  const withoutZone = address.split('%', 1)[0] ?? '';
  if (!isIPv6(withoutZone)) return undefined;
  const bytes = ipv6Bytes(withoutZone);
  return mappedPrefix.every((byte, index) => bytes[index] === byte) ? bytes.slice(12) : bytes;
}

/** RFC 4291 §2.2; `address` is known to be one. */
function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('::');
  const front = groupBytes(head);
  const back = groupBytes(tail ?? '');
  return Uint8Array.from([...front, ...new Array(16 - front.length - back.length).fill(0), ...back]);
}

const groupBytes = (text: string): number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (group.includes('.')) return group.split('.').map(Number);
        const value = Number.parseInt(group, 16);
        return [value >> 8, value & 0xff];
      });

/** Of 4 or 16 bytes, as RFC 5952 has it. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
