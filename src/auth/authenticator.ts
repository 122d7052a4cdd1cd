/**
 * Who signed? The only maker of identities. A key that was offered is looked up; only the key whose
 * signature verifies becomes somebody.
 */
import type { Accounts, Invites } from '../accounts/accounts.ts';
import type { CertificateAuthorities } from '../certificate-authorities/certificate-authorities.ts';
import { isCertificateBlob } from '../keys/certificate.ts';
import type { PublicKey } from '../keys/key-types.ts';
import type { Keys } from '../keys/keys.ts';
import { fingerprintOf, parsePublicKeyBlob } from '../keys/parse-public-key.ts';
import { verifySignature } from '../keys/verify-signature.ts';
import type { Clock } from '../platform/clock.ts';
import type { Address } from '../sessions/session.ts';
import type { Reader } from '../store/store.ts';
import { matchesAddress } from './address-patterns.ts';
import { createCertificateLogin } from './certificate-login.ts';
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
  /** `rsa-sha2-512`, `ssh-ed25519`, `rsa-sha2-512-cert-v01@openssh.com`, … */
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
    | 'certificate'
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
  readonly certificateAuthorities: CertificateAuthorities;
  readonly store: Reader;
  readonly clock: Clock;
}

export const isRefusal = (value: object | string): value is Refusal =>
  typeof value === 'object' && 'refused' in value;

export function createAuthenticator(dependencies: AuthenticatorDependencies): Authenticator {
  const { invites, keys } = dependencies;
  const certificates = createCertificateLogin(dependencies);

  return {
    async probe(offered) {
      const isCertificate = isCertificateBlob(offered.blob);
      const found = await (isCertificate ? certificates.lookUp(offered) : lookUp(dependencies, offered));
      return isRefusal(found) ? found : 'known';
    },

    async authenticate(request) {
      const { source, outer } = request;
      const connection = { source, ...(outer ? { outer } : {}) };
      if (isCertificateBlob(request.blob)) {
        const found = await certificates.authenticate(request);
        if (isRefusal(found)) return found;
        const { account, keyId, fingerprint, facts } = found;
        const person = { accountId: account.id, accountName: account.name };
        return provenIdentity({ ...person, keyId, fingerprint, certificate: facts, ...connection });
      }
      const valid = verified(request);
      if (!valid) return { refused: 'signature' };
      const found = await lookUp(dependencies, request);
      if (isRefusal(found)) return found;
      const refusal = findPresenceFault(valid.securityKey, found.key.restrictions);
      if (refusal) return refusal;
      const { id: keyId, fingerprint, expiresAt } = found.key;
      keys.noteUse(keyId);
      return provenIdentity({
        accountId: found.account.id,
        accountName: found.account.name,
        keyId,
        fingerprint,
        ...(expiresAt === undefined ? {} : { keyExpiresAt: expiresAt }),
        ...connection,
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

/** The key, and whose it is; both good now. */
async function lookUp(
  { accounts, keys, clock }: AuthenticatorDependencies,
  { blob, source, outer }: OfferedKey,
) {
  const key = await keys.findByFingerprint(fingerprintOf(blob));
  if (!key || (outer && outer.accountId !== key.accountId)) return { refused: 'unknown' } as const;
  const account = await accounts.get(key.accountId);
  if (!account || account.disabled) return { refused: 'disabled' } as const;
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= clock.now()) {
    const detail = `this key expired on ${key.expiresAt.slice(0, 10)}; log in with another one of yours, or ask an admin to add a new one`;
    return { refused: 'expired', detail } as const;
  }
  if (key.restrictions.from !== undefined && !matchesAddress(source.address, key.restrictions.from)) {
    const detail =
      'this key may not be used from your address (its from= option); connect from one it names, or use another key';
    return { refused: 'source', detail } as const;
  }
  return { key, account };
}

/** Undefined where it is not signed by the key that it shows. */
function verified({ blob, algorithm, signature, data }: SignedRequest) {
  const key = parsedOrUndefined(blob);
  if (!key) return undefined;
  const valid = verifySignature({ key, algorithm, signature, data });
  return valid && { key, ...valid };
}

const inviteRefusal: Refusal = {
  refused: 'invite',
  detail: 'this invite is not valid: it was used, has expired or never existed. Ask for a new one',
};

function parsedOrUndefined(blob: Buffer): PublicKey | undefined {
  try {
    return parsePublicKeyBlob(blob);
  } catch {
    return undefined;
  }
}
