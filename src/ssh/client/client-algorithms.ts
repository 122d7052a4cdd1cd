/** What we offer to a host that we log in to, strongest first; dated but sound ones last, for old servers and small ones. */
import type { ClientAlgorithms } from './ssh2-client.ts';

/** Host key types as `TYPE BASE64` lines have them, in the order in which ssh(1) likes them best. */
export const hostKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const;

/** Signature algorithms for a key type; SHA-1 is none (RFC 8332). */
const signedWith = (type: string): readonly string[] =>
  type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type];

/** With these types of host key and no others, in their order. */
export const clientAlgorithms = (types: readonly string[]): ClientAlgorithms => ({
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
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
  serverHostKey: types.flatMap(signedWith),
  compress: ['none'],
});
