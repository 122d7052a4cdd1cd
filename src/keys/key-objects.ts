/** node:crypto's form of public keys, kept for the most recently used ones. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

const maxKept = 1024;
const kept = new Map<string, KeyObject>();

/** `line` is the key's canonical `TYPE BASE64`. Throws what OpenSSL throws for a point off its curve. */
export function keyObject(line: string, jwk: () => JsonWebKey): KeyObject {
  const known = kept.get(line);
  const object = known ?? createPublicKey({ key: jwk(), format: 'jwk' });
  // A Map remembers insertion: taken out and put back, it is the newest.
  kept.delete(line);
  kept.set(line, object);
  const oldest = kept.keys().next();
  if (kept.size > maxKept && !oldest.done) kept.delete(oldest.value);
  return object;
}
