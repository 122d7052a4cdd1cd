/**
 * The second step of a login. Between the key's signature and the code there is no Identity to be had:
 * what the door holds meanwhile opens nothing.
 */
import { GatewayError } from '../errors.ts';
import type { SecondFactors } from '../second-factor/second-factors.ts';
import { type Authenticator, isRefusal, type Refusal, type SignedRequest } from './authenticator.ts';
import { type Identity, provenIdentity } from './identity.ts';

declare const halfway: unique symbol;

/** Somebody whose key is proven, and whose code is not. */
export interface AwaitsCode {
  readonly [halfway]: true;
  /** For the audit. */
  readonly fingerprint: string;
}

export interface CodeRefusal {
  readonly refused: 'wrong code' | 'codes locked' | 'account gone';
  /** No further code will be taken on this connection. */
  readonly final: boolean;
  /** For whoever proved the key. */
  readonly detail: string;
}

/** An Authenticator whose logins have a second step where the account has a second factor. */
export interface LoginAuthenticator extends Omit<Authenticator, 'authenticate'> {
  authenticate(request: SignedRequest): Promise<Identity | AwaitsCode | Refusal>;
  /** Takes a code for what `authenticate` returned. */
  proveCode(awaits: AwaitsCode, code: string): Promise<Identity | CodeRefusal>;
}

export const awaitsCode = (value: object): value is AwaitsCode => provenKeys.has(value);

const provenKeys = new WeakMap<object, { readonly found: Identity; readonly request: SignedRequest }>();

const gone: CodeRefusal = {
  refused: 'account gone',
  final: true,
  detail: 'log in again: your account was changed.',
};

export function withSecondFactor(
  authenticator: Authenticator,
  secondFactors: Pick<SecondFactors, 'neededFor' | 'check' | 'remember'>,
): LoginAuthenticator {
  return {
    ...authenticator,

    async authenticate(request) {
      const found = await authenticator.authenticate(request);
      // The outer connection of a jump was asked, or had no need to be.
      if (isRefusal(found) || found.outer) return found;
      const needed = await secondFactors.neededFor(found);
      if (needed === 'nothing') return found;
      if (needed === 'remembered') return provenIdentity({ ...found, secondFactor: 'remembered' });
      const awaits = Object.freeze({ fingerprint: found.fingerprint }) as AwaitsCode;
      provenKeys.set(awaits, { found, request });
      return awaits;
    },

    async proveCode(awaits, code) {
      const proven = provenKeys.get(awaits);
      if (!proven) throw new TypeError('nobody awaits a code here');
      const { found, request } = proven;
      const outcome = await secondFactors.check(found.accountId, code);
      if (outcome === 'right') {
        // Somebody may type for a minute, and what is withdrawn meanwhile closes no connection, for that is in no list yet.
        if (isRefusal(await authenticator.authenticate(request))) return gone;
        await secondFactors.remember(found);
        return provenIdentity({ ...found, secondFactor: 'proven' });
      }
      if (outcome === 'wrong') {
        return { refused: 'wrong code', final: false, detail: new GatewayError('wrong-code', {}).message };
      }
      if (outcome === 'gone') return gone;
      return {
        refused: 'codes locked',
        final: true,
        detail: new GatewayError('codes-locked', outcome).message,
      };
    },
  };
}
