/** Addresses that lead to the gateway's own machine or networks: what a member may not send it to. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Loopback, private, shared, link-local (cloud metadata with it), multicast and reserved: RFC 6890. */
const ipv4Blocks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
];
/** Azure's metadata, which is in none of these. */
const ipv4Addresses = ['168.63.129.16'];
/**
 * The same of IPv6, and every range in which an IPv4 address can hide: mapped and compatible ones, NAT64 (RFC 6052,
 * RFC 8215), 6to4, Teredo. Whoever means a public IPv4 address can write that.
 */
const ipv6Blocks = ['::/8', '64:ff9b::/32', '2001::/32', '2002::/16', 'fc00::/7', 'fe80::/9', 'ff00::/8'];

/** Apart, for a BlockList takes an IPv4 address for the IPv6 one that maps it. */
type Lists = Readonly<Record<'ipv4' | 'ipv6', BlockList>>;

const fixed: Lists = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const block of ipv4Blocks) addBlock('ipv4', block);
for (const block of ipv6Blocks) addBlock('ipv6', block);
for (const address of ipv4Addresses) fixed.ipv4.addAddress(address);

function addBlock(family: keyof Lists, block: string): void {
  const [base = '', length] = block.split('/');
  fixed[family].addSubnet(base, Number(length), family);
}

/** Whether this IP address is one of the gateway's own, or of networks that only it may see. */
export function isInternalAddress(address: string): boolean {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const plain = withoutZone(address);
  return fixed[family].check(plain, family) || ownAddresses()[family].check(plain, family);
}

/** Whether a hostname is such an address, or the machine's name for itself. What other names mean shows when they are dialled. */
export function isInternalHostname(hostname: string): boolean {
  if (isIPv4(hostname) || isIPv6(hostname)) return isInternalAddress(hostname);
  return /(^|\.)localhost$|^ip6-(localhost|loopback)$/i.test(hostname);
}

function ownAddresses(): Lists {
  const own: Lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    const type = family === 'IPv4' ? 'ipv4' : 'ipv6';
    own[type].addAddress(withoutZone(address), type);
  }
  return own;
}

const withoutZone = (address: string) => address.replace(/%.*$/, '');
