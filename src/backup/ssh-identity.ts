/** An SSH private key as identity of an age file: the other half of `ssh-recipient`. */
import { createDecipheriv, diffieHellman, privateDecrypt } from 'node:crypto';
import type { Identity, Stanza } from 'age-encryption';
import { keyObjectOf } from '../keys/parse-public-key.ts';
import type { SshPrivateKey } from '../keys/read-private-key.ts';
import { oaep, tagOf, tweaked, wrappingKey } from './ssh-recipient.ts';
import { montgomeryOf, scalarOf, x25519PrivateKey, x25519PublicKey } from './x25519-keys.ts';

const fileKeyBytes = 16;

export function createSshIdentity(key: SshPrivateKey): Identity {
  const tag = tagOf(key.publicKey.blob);
  return {
    unwrapFileKey(stanzas) {
      const stanza = stanzas.find(({ args }) => args[0] === key.type && args[1] === tag);
      if (!stanza) return null;
      return key.type === 'ssh-ed25519'
        ? fromEd25519(key, stanza)
        : privateDecrypt({ key: key.key, ...oaep }, stanza.body);
    },
  };
}

function fromEd25519(
  { publicKey, seed }: Extract<SshPrivateKey, { type: 'ssh-ed25519' }>,
  { args, body }: Stanza,
): Uint8Array {
  const share = Buffer.from(args[2] ?? '', 'base64');
  if (share.length !== 32 || body.length !== fileKeyBytes + 16)
    throw new Error('malformed ssh-ed25519 stanza');
  const privateKey = x25519PrivateKey(scalarOf(seed));
  const shared = tweaked(publicKey.blob, diffieHellman({ privateKey, publicKey: x25519PublicKey(share) }));
  const point = Buffer.from(keyObjectOf(publicKey).export({ format: 'jwk' }).x as string, 'base64url');
  const wrapping = wrappingKey(shared, share, montgomeryOf(point));
  const decipher = createDecipheriv('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
  decipher.setAuthTag(Buffer.from(body.subarray(fileKeyBytes)));
  return Buffer.concat([decipher.update(body.subarray(0, fileKeyBytes)), decipher.final()]);
}
