/**
 * `mlkem768x25519-sha256` (draft-ietf-sshm-mlkem-hybrid-kex): the server's half, with node:crypto. An
 * attacker who keeps today's traffic needs to break ML-KEM-768 (FIPS 203) and X25519 both.
 */
import { createHash, createPublicKey, encapsulate } from 'node:crypto';
import { answerX25519, x25519KeyBytes } from './x25519.ts';

export const hybridKexName = 'mlkem768x25519-sha256';

const mlkemKeyBytes = 1184;

/** SubjectPublicKeyInfo in front of the raw key, RFC 9935. */
const mlkemPrefix = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

export interface HybridAnswer {
  /** S_REPLY: ML-KEM's ciphertext, then our X25519 public key. */
  readonly reply: Buffer;
  /** K = SHA-256(K_PQ ‖ K_CL); encoded as a string, not as an mpint. */
  readonly sharedSecret: Buffer;
}

/** Answers C_INIT. Throws when it is malformed, its ML-KEM key is not reduced, or its X25519 point is of low order. */
export function answerHybridInit(init: Buffer): HybridAnswer {
  if (init.length !== mlkemKeyBytes + x25519KeyBytes) throw new Error('a C_INIT of the wrong length');
  const theirMlkem = createPublicKey({
    key: Buffer.concat([mlkemPrefix, init.subarray(0, mlkemKeyBytes)]),
    format: 'der',
    type: 'spki',
  });
  const classical = answerX25519(init.subarray(mlkemKeyBytes));
  const { sharedKey, ciphertext } = encapsulate(theirMlkem);
  return {
    reply: Buffer.concat([ciphertext, classical.publicKey]),
    sharedSecret: createHash('sha256').update(sharedKey).update(classical.secret).digest(),
  };
}
