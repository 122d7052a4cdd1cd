/** Tokens whose key the gateway makes itself, signs with once, and forgets. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { PublicKey } from '../keys/key-types.ts';
import { parsePublicKeyBlob } from '../keys/parse-public-key.ts';
import { formatExe0 } from './exe0.ts';
import { formatPermissions, type PermissionsToSign } from './permissions.ts';
import { formatSshsig, signedData, sshString } from './sshsig.ts';

export interface SignedOnce {
  readonly publicKey: PublicKey;
  readonly exe0: string;
}

const type = Buffer.from('ssh-ed25519');
const hash = 'sha512';

/**
 * Signs for `namespace` with a new ed25519 key, whose private half nobody ever sees. Throws MalformedToken for what
 * would be refused.
 */
export function signOnce(permissions: PermissionsToSign, namespace: string): SignedOnce {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = parsePublicKeyBlob(blobOf(pair.publicKey));
  const payload = formatPermissions(permissions);
  const data = signedData({ namespace, reserved: Buffer.alloc(0), hash }, payload);
  const signature = Buffer.concat([sshString(type), sshString(sign(null, data, pair.privateKey))]);
  const sshsig = formatSshsig({ publicKey: publicKey.blob, namespace, hash, signature });
  return { publicKey, exe0: formatExe0(payload, sshsig) };
}

/** RFC 8709 §4. */
function blobOf(key: KeyObject): Buffer {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined) throw new Error('an ed25519 key without its point');
  return Buffer.concat([sshString(type), sshString(Buffer.from(x, 'base64url'))]);
}
