/** Host keys sign once for each connection: read once, and not at each signature, as ssh2 does. */
import { createPrivateKey, sign } from 'node:crypto';
import type { ParsedKey } from 'ssh2';

/** The same key, whose private part is read already; half of what a signature of ed25519 costs otherwise. */
export function readyToSign(key: ParsedKey): ParsedKey {
  const privateKey = createPrivateKey(key.getPrivatePEM());
  const signAs = key.sign.bind(key);
  return Object.assign(key, {
    sign: (data: Buffer, hash?: string) =>
      // ssh2 knows what is to be hashed by what where nobody says.
      hash || key.type === 'ssh-ed25519' ? sign(hash, data, privateKey) : signAs(data),
  });
}
