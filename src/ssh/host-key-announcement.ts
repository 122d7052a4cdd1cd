/**
 * Host key rotation, OpenSSH's PROTOCOL 2.5: after login the client is told all our host keys, asks for a proof
 * of those it does not know, and takes them into its known_hosts (UpdateHostKeys).
 */
import ssh2 from 'ssh2';
import type { HostKey } from './host-keys.ts';
import { message } from './messages.ts';
import { boolean, byte, string, type WireReader } from './wire.ts';

/** The global request `hostkeys-00@openssh.com`, which wants no reply. */
export function hostKeysAnnouncement(hostKeys: readonly HostKey[]): Buffer {
  return Buffer.concat([
    byte(message.globalRequest),
    string('hostkeys-00@openssh.com'),
    boolean(false),
    ...hostKeys.map((key) => string(blobOf(key))),
  ]);
}

/** What a proof binds: this connection, and the algorithm that its RSA signatures are to have. */
export interface ProofContext {
  readonly sessionId: Buffer;
  readonly hostKeyAlgorithm: string;
}

/** Answers `hostkeys-prove-00@openssh.com`: a signature by each key that is asked for, or false. */
export function proveHostKeys(
  data: WireReader,
  hostKeys: readonly HostKey[],
  context: ProofContext,
): Buffer | false {
  const proofs: Buffer[] = [];
  const asked = new Set<HostKey>();
  while (data.remaining > 0) {
    const blob = data.bytes();
    const key = hostKeys.find((candidate) => blobOf(candidate).equals(blob));
    // Each signature costs; nobody needs the same one twice.
    if (!key || asked.has(key)) return false;
    asked.add(key);
    proofs.push(string(prove(key, blob, context)));
  }
  return proofs.length > 0 && Buffer.concat(proofs);
}

function prove(key: HostKey, blob: Buffer, { sessionId, hostKeyAlgorithm }: ProofContext): Buffer {
  const signed = Buffer.concat([string('hostkeys-prove-00@openssh.com'), string(sessionId), string(blob)]);
  const parsed = ssh2.utils.parseKey(key.privateKey);
  if (parsed instanceof Error) throw parsed;
  const [algorithm, hash] =
    key.type !== 'ssh-rsa'
      ? [key.type, undefined]
      : hostKeyAlgorithm === 'rsa-sha2-256'
        ? ['rsa-sha2-256', 'sha256']
        : ['rsa-sha2-512', 'sha512'];
  const signature: unknown = parsed.sign(signed, hash);
  if (!Buffer.isBuffer(signature)) throw signature;
  return Buffer.concat([string(algorithm as string), string(signature)]);
}

const blobOf = ({ publicKey }: HostKey): Buffer => Buffer.from(publicKey.split(' ')[1] as string, 'base64');
