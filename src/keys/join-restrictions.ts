import { GatewayError } from '../errors.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import type { PublicKey } from './key-types.ts';

/** The options that take a value, under the names people write. */
const valued = new Map<keyof KeyRestrictions, string>([
  ['from', 'from'],
  ['command', 'command'],
  ['permitOpen', 'permitopen'],
]);

/**
 * What a key's line says and what the flags beside it say, together: neither can widen the other. Throws
 * invalid-key when both give a value, and for what only security keys can keep.
 */
export function joinRestrictions(
  { type }: PublicKey,
  line: KeyRestrictions,
  flags: KeyRestrictions,
): KeyRestrictions {
  for (const [field, name] of valued) {
    if (line[field] !== undefined && flags[field] !== undefined) {
      throw invalid(`${name} stands in front of the key and among the flags; leave one of them out.`);
    }
  }
  const joined = { ...line, ...flags };
  const word = joined.verifyRequired ? 'verify-required' : 'no-touch-required';
  if ((joined.verifyRequired || joined.noTouchRequired) && !type.startsWith('sk-')) {
    throw invalid(`${word} is for security keys (sk-…) only, and this key is ${type}; leave it out.`);
  }
  return joined;
}

const invalid = (problem: string) => new GatewayError('invalid-key', { problem });
