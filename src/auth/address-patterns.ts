import { BlockList, isIP } from 'node:net';

/**
 * Whether `address` matches a pattern list of authorized_keys' `from=` (sshd(8), ssh_config(5) PATTERNS):
 * comma-separated addresses, CIDR blocks or `*`/`?` wildcards; a match of a `!` pattern refuses.
 * IPv4-mapped IPv6 addresses count as IPv4.
 */
export function matchesAddress(address: string, patterns: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  let matched = false;
  for (const entry of patterns.split(',')) {
    const negated = entry.startsWith('!');
    const pattern = (negated ? entry.slice(1) : entry).trim().toLowerCase();
    if (pattern === '' || !matchesOne(plain, pattern)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesOne(address: string, pattern: string): boolean {
  const [base, length] = pattern.split('/');
  if (length !== undefined && base !== undefined) return inBlock(address, base, Number(length));
  const wildcard = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${wildcard}$`).test(address);
}

function inBlock(address: string, base: string, length: number): boolean {
  const family = isIP(base);
  if (family === 0 || isIP(address) !== family) return false;
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false;
  const block = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  block.addSubnet(base, length, type);
  return block.check(address, type);
}
