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
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  serverHostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
  compress: ['none'],
};

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
