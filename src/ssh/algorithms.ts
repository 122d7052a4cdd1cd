/** What we offer, strongest first. ssh2's own defaults hold broken and weak ones (library-traps 14). */
import type { ServerConfig } from 'ssh2';
import { hybridKexName } from './hybrid-key-exchange.ts';
import { byte, string, uint32 } from './wire.ts';

export const algorithms: NonNullable<ServerConfig['algorithms']> = {
  kex: [
    // Not a name that the types of ssh2 know; ssh2-internals.ts adds it.
    hybridKexName as 'curve25519-sha256',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    // For clients held to FIPS 140, which have no curve25519.
    'diffie-hellman-group16-sha512',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  serverHostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
  compress: ['none'],
};

/** Name-lists of a KEXINIT, RFC 4253 §7.1; the MACs are those of both directions. */
export interface Offer {
  readonly kex: readonly string[];
  readonly serverHostKey: readonly string[];
  readonly mac: readonly string[];
}

interface Accommodation {
  /** The beginning of the software version, RFC 4253 §4.2. */
  readonly software: RegExp;
  readonly kex?: readonly string[];
  readonly mac?: readonly string[];
}

/**
 * Sound but dated algorithms, offered to clients that have no better ones and to nobody else. A version
 * line cannot be forged in between to get at them: both are part of the exchange hash (RFC 4253 §8).
 */
const accommodations: readonly Accommodation[] = [
  // libssh2 learned encrypt-then-MAC with 1.11; curl and git of Debian 12 have 1.10.
  { software: /^libssh2_1\.([0-9]|10)(\.|$)/, mac: ['hmac-sha2-256', 'hmac-sha2-512'] },
  // net-ssh has curve25519 only where the gem x25519 is installed, which Debian does not package.
  { software: /^Ruby\/Net::SSH_/, kex: ['ecdh-sha2-nistp256'] },
];

/** What to offer to a client that calls itself `software`, in place of what ssh2 would. */
export function offerTo(software: string, offer: Offer): Offer {
  const found = accommodations.find((each) => each.software.test(software));
  return {
    kex: [...offer.kex, ...(found?.kex ?? [])],
    // ssh2 adds SHA-1 for an RSA host key though it is not in our list (library-traps 14).
    serverHostKey: offer.serverHostKey.filter((name) => name !== 'ssh-rsa'),
    mac: [...offer.mac, ...(found?.mac ?? [])],
  };
}

/** Signature algorithms that a login may use, for `server-sig-algs` (RFC 8308 §3.1). */
const userSignatureAlgorithms = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** SSH_MSG_EXT_INFO, RFC 8308 §2.3: what a client may sign with, and that pings are answered. */
export function extInfo(): Buffer {
  const extensions: [name: string, value: string][] = [
    ['server-sig-algs', userSignatureAlgorithms.join(',')],
    // OpenSSH's PROTOCOL 1.9.
    ['ping@openssh.com', '0'],
  ];
  const fields = extensions.flatMap(([name, value]) => [string(name), string(value)]);
  return Buffer.concat([byte(7), uint32(extensions.length), ...fields]);
}
