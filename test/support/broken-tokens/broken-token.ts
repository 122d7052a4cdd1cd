/** A token that breaks one rule, beside the one that breaks none. */
import type { TokenUse } from '../../../src/auth/token-authenticator.ts';
import { ecdsaSigner, ed25519Signer, forgeToken, rsaSigner, type TokenTerms } from '../tokens.ts';

export interface BrokenToken {
  readonly name: string;
  readonly broken: string;
  /** The same with that one thing mended. */
  readonly mended: string;
  readonly refused: RegExp;
  /** What the broken one is shown for; default: commands. */
  readonly kind?: TokenUse['kind'];
  /** What the mended one is shown for, when that is what was mended. */
  readonly mendedKind?: TokenUse['kind'];
  /** Keys to register with it. */
  readonly keys?: readonly Buffer[];
}

export const signer = ed25519Signer();
export const otherSigner = ed25519Signer();
export const ecdsaSigners = [ecdsaSigner(256), ecdsaSigner(384), ecdsaSigner(521)] as const;
export const rsa = rsaSigner();

export const forge = (terms: Partial<TokenTerms> = {}): string => forgeToken(terms.signer ?? signer, terms);
