import { BlockList, isIP } from 'node:net';

/**
 * Whether `address` matches a pattern list of authorized_keys' `from=` (sshd(8), ssh_config(5) PATTERNS):
 * comma-separated addresses, CIDR blocks or `*`/`?` wildcards; a match of a `!` pattern refuses.
 * IPv4-mapped IPv6 addresses count as IPv4.
 */
export function matchesAddress(address: string, patterns: string): boolean {
  const plain = unmapped(address.toLowerCase());
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
  // An IPv6 address has many spellings.
  const whole = unmapped(pattern);
  if (isIP(whole) === 6) return inBlock(address, whole, 128);
  return matchesWildcards(address, whole);
}

const unmapped = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

/** `*` and `?`. Never tries more than each place of the text for each star, as a regular expression would. */
function matchesWildcards(text: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let behindStar = 0;
  while (at < text.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern++;
      behindStar = at;
    } else if (pattern[inPattern] === '?' || pattern[inPattern] === text[at]) {
      inPattern++;
      at++;
    } else if (star >= 0) {
      // The last star takes one character more.
      inPattern = star + 1;
      at = ++behindStar;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern++;
  return inPattern === pattern.length;
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
