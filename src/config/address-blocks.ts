/** Lists of addresses and CIDR blocks, as configuration has them. */
import { BlockList, isIP } from 'node:net';
import { plainAddress } from '../platform/ip-address.ts';

export interface AddressBlocks {
  /** Whether one of them is this address, or holds it; an IPv4-mapped IPv6 address counts as IPv4. */
  has(address: string): boolean;
}

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
export function isAddressBlock(text: string): boolean {
  const { base, bits } = parse(text);
  const family = isIP(base);
  if (family === 0 || base.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Each of `entries` is an address block. */
export function createAddressBlocks(entries: readonly string[]): AddressBlocks {
  if (entries.length === 0) return { has: () => false };
  const blocks = new BlockList();
  for (const entry of entries) {
    const { base, bits } = parse(entry);
    const family = typeOf(base);
    blocks.addSubnet(base, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return {
    has(address) {
      const plain = plainAddress(address);
      return isIP(plain) !== 0 && blocks.check(plain, typeOf(plain));
    },
  };
}

/** The blocks of the list that `read` gives now: it is frozen, and another one where a reload has changed it. */
export function liveAddressBlocks(read: () => readonly string[]): AddressBlocks {
  let list = read();
  let blocks = createAddressBlocks(list);
  return {
    has(address) {
      const now = read();
      if (now !== list) blocks = createAddressBlocks(now);
      list = now;
      return blocks.has(address);
    },
  };
}

const typeOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

function parse(text: string): { base: string; bits: string | undefined } {
  const slash = text.indexOf('/');
  if (slash === -1) return { base: plainAddress(text), bits: undefined };
  return { base: text.slice(0, slash), bits: text.slice(slash + 1) };
}
