/**
 * A signed publickey request, RFC 4252 §7, with the whole signature blob. ssh2 takes the algorithm's name and
 * both lengths off a signature without looking at them, and rewrites those of ecdsa: what is left of a security
 * key's cannot be told from a malformed one (library-traps 16).
 */
import { MalformedMessage, string, WireReader } from './wire.ts';

export interface SignedRequest {
  readonly user: string;
  readonly service: string;
  /** What ssh2 makes its `PublicKeyAuthContext` of. */
  readonly data: {
    readonly keyAlgo: string;
    readonly hashAlgo: 'sha256' | 'sha512' | undefined;
    readonly key: Buffer;
    readonly signature: Buffer;
    /** What was signed: the session id, and the request up to the signature. */
    readonly blob: Buffer;
  };
}

const rsaHashes: ReadonlyMap<string, 'sha256' | 'sha512'> = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
]);

/** RFC 4252 §9: algorithm, key, host, user, signature. */
const hostbasedFields = 5;

/** Undefined for any other USERAUTH_REQUEST. Throws MalformedMessage, also where a key is offered and not there. */
export function parseSignedRequest(payload: Buffer, sessionId: Buffer): SignedRequest | undefined {
  const reader = new WireReader(payload, 1);
  const [user, service, method] = [reader.text(), reader.text(), reader.text()];
  // Refused whatever it says; but ssh2 reads it first, and throws where it is cut short.
  if (method === 'hostbased') for (let field = 0; field < hostbasedFields; field++) reader.bytes();
  if (method !== 'publickey') return undefined;
  const isSigned = reader.boolean();
  const algorithm = reader.text();
  const hashAlgo = rsaHashes.get(algorithm);
  const key = reader.bytes();
  // ssh2 would make a request without a key of an offer that ends too soon.
  if (!isSigned) return undefined;
  const signed = payload.subarray(0, payload.length - reader.remaining);
  const signature = reader.bytes();
  if (reader.remaining > 0) throw new MalformedMessage('something follows the signature');
  const blob = Buffer.concat([string(sessionId), signed]);
  // The key's type in the place of RSA's algorithms, as ssh2 has it in requests without a signature.
  const keyAlgo = hashAlgo ? 'ssh-rsa' : algorithm;
  return { user, service, data: { keyAlgo, hashAlgo, key, signature, blob } };
}
