/**
 * Who signed? The only maker of identities. A key that was offered is looked up; only the key whose
 * signature verifies becomes somebody.
 */
import type { Accounts, Invites } from '../accounts/accounts.ts';
import type { PublicKey } from '../keys/key-types.ts';
import type { Keys } from '../keys/keys.ts';
import { fingerprintOf, parsePublicKeyBlob } from '../keys/parse-public-key.ts';
import { verifySignature } from '../keys/verify-signature.ts';
import type { Clock } from '../platform/clock.ts';
import type { Address } from '../sessions/session.ts';
import { matchesAddress } from './address-patterns.ts';
import { type Identity, provenIdentity } from './identity.ts';
import { findPresenceFault } from './user-presence.ts';

export interface OfferedKey {
  readonly blob: Buffer;
  readonly source: Address;
  /** An inner connection of a jump belongs to this identity's account. */
  readonly outer?: Identity;
}

/** A signed publickey request, RFC 4252 §7. */
export interface SignedRequest extends OfferedKey {
  /** `rsa-sha2-512`, `ssh-ed25519`, … */
  readonly algorithm: string;
  /** The whole signature blob. */
  readonly signature: Buffer;
  readonly data: Buffer;
}

/** Somebody with a valid invite and a proven key, but no account yet. */
export interface Applicant {
  readonly key: PublicKey;
  readonly code: string;
  readonly source: Address;
}

/** Why a key is no way in; `detail` may be shown to whoever holds the key. */
export type Refusal = {
  readonly refused:
    | 'unknown'
    | 'expired'
    | 'disabled'
    | 'source'
    | 'invite'
    | 'signature'
    | 'user presence'
    | 'user verification';
  readonly detail?: string;
};

export interface Authenticator {
  /** Would this key, signing, be let in? Answers a probe; proves nothing. */
  probe(offered: OfferedKey): Promise<'known' | Refusal>;
  /** Verifies, then looks up. */
  authenticate(request: SignedRequest): Promise<Identity | Refusal>;
  probeApplicant(offered: OfferedKey, code: string): Promise<'known' | Refusal>;
  authenticateApplicant(request: SignedRequest, code: string): Promise<Applicant | Refusal>;
}

export interface AuthenticatorDependencies {
  readonly accounts: Accounts;
  readonly invites: Invites;
  readonly keys: Keys;
  readonly clock: Clock;
}

export const isRefusal = (value: object | string): value is Refusal =>
  typeof value === 'object' && 'refused' in value;

export function createAuthenticator({
  accounts,
  invites,
  keys,
  clock,
}: AuthenticatorDependencies): Authenticator {
  async function lookUp({ blob, source, outer }: OfferedKey) {
    const key = await keys.findByFingerprint(fingerprintOf(blob));
    if (!key || (outer && outer.accountId !== key.accountId)) return { refused: 'unknown' } as const;
    const account = await accounts.get(key.accountId);
    if (!account || account.disabled) return { refused: 'disabled' } as const;
    if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= clock.now()) {
      return { refused: 'expired', detail: `this key expired on ${key.expiresAt.slice(0, 10)}` } as const;
    }
    if (key.restrictions.from !== undefined && !matchesAddress(source.address, key.restrictions.from)) {
      return { refused: 'source' } as const;
    }
    return { key, account };
  }

  const verified = (request: SignedRequest) => {
    const key = parsedOrUndefined(request.blob);
    if (!key) return undefined;
    const { algorithm, signature, data } = request;
    const valid = verifySignature({ key, algorithm, signature, data });
    return valid && { key, ...valid };
  };

  const inviteRefusal: Refusal = {
    refused: 'invite',
    detail: 'this invite is not valid: it was used, has expired or never existed. Ask for a new one',
  };

  return {
    async probe(offered) {
      const found = await lookUp(offered);
      return isRefusal(found) ? found : 'known';
    },

    async authenticate(request) {
      const valid = verified(request);
      if (!valid) return { refused: 'signature' };
      const found = await lookUp(request);
      if (isRefusal(found)) return found;
      const refusal = findPresenceFault(valid.securityKey, found.key.restrictions);
      if (refusal) return refusal;
      keys.noteUse(found.key.id);
      return provenIdentity({
        accountId: found.account.id,
        accountName: found.account.name,
        keyId: found.key.id,
        fingerprint: found.key.fingerprint,
        source: request.source,
        ...(request.outer ? { outer: request.outer } : {}),
      });
    },

    async probeApplicant(offered, code) {
      if (!parsedOrUndefined(offered.blob)) return { refused: 'unknown' };
      return (await invites.findByCode(code)) ? 'known' : inviteRefusal;
    },

    async authenticateApplicant(request, code) {
      const valid = verified(request);
      if (!valid) return { refused: 'signature' };
      if (!(await invites.findByCode(code))) return inviteRefusal;
      const { key, securityKey } = valid;
      return findPresenceFault(securityKey, {}) ?? { key, code, source: request.source };
    },
  };
}

function parsedOrUndefined(blob: Buffer): PublicKey | undefined {
  try {
    return parsePublicKeyBlob(blob);
  } catch {
    return undefined;
  }
}
