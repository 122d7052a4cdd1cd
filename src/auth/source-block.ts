/** sshd_config's PerSourceNetBlockSize: which sources count as one. */
import { addressBytes, formatAddress } from '../platform/ip-address.ts';

export interface NetBlockSize {
  readonly ipv4Bits: number;
  readonly ipv6Bits: number;
}

/**
 * The block that `address` is in: `192.0.2.7`, `2001:db8::/64`. IPv4-mapped IPv6 addresses count as IPv4. What is
 * no address is a block of its own.
 */
export function sourceBlock(address: string, { ipv4Bits, ipv6Bits }: NetBlockSize): string {
  const bytes = addressBytes(address);
  if (bytes === undefined) return address;
  const bits = bytes.length === 4 ? ipv4Bits : ipv6Bits;
  const masked = bytes.map((byte, index) => byte & maskOf(bits - index * 8));
  const text = formatAddress(masked);
  return bits === bytes.length * 8 ? text : `${text}/${bits}`;
}

const maskOf = (bits: number) => (bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff);
