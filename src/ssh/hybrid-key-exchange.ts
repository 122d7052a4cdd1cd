/**
 * `mlkem768x25519-sha256` (draft-ietf-sshm-mlkem-hybrid-kex): the server's half, with node:crypto. An
 * attacker who keeps today's traffic needs to break ML-KEM-768 (FIPS 203) and X25519 both.
 */
import {
  createHash,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

export const hybridKexName = 'mlkem768x25519-sha256';

const mlkemKeyBytes = 1184;
const x25519KeyBytes = 32;

/** SubjectPublicKeyInfo in front of the raw key: RFC 8410 for X25519, RFC 9935 for ML-KEM-768. */
const mlkemPrefix = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex');

const toKey = (prefix: Buffer, raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });

export interface HybridAnswer {
  /** S_REPLY: ML-KEM's ciphertext, then our X25519 public key. */
  readonly reply: Buffer;
  /** K = SHA-256(K_PQ ‖ K_CL); encoded as a string, not as an mpint. */
  readonly sharedSecret: Buffer;
}

/** Answers C_INIT. Throws when it is malformed, its ML-KEM key is not reduced, or its X25519 point is of low order. */
export function answerHybridInit(init: Buffer): HybridAnswer {
  if (init.length !== mlkemKeyBytes + x25519KeyBytes) throw new Error('a C_INIT of the wrong length');
  const theirMlkem = toKey(mlkemPrefix, init.subarray(0, mlkemKeyBytes));
  const theirX25519 = toKey(x25519Prefix, init.subarray(mlkemKeyBytes));
  const { sharedKey, ciphertext } = encapsulate(theirMlkem);
  const ours = generateKeyPairSync('x25519');
  const classical = diffieHellman({ privateKey: ours.privateKey, publicKey: theirX25519 });
  const ourPublic = ours.publicKey.export({ type: 'spki', format: 'der' }).subarray(-x25519KeyBytes);
  return {
    reply: Buffer.concat([ciphertext, ourPublic]),
    sharedSecret: createHash('sha256').update(sharedKey).update(classical).digest(),
  };
}
