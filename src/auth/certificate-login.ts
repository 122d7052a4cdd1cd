/**
 * Logging in by an OpenSSH user certificate (PROTOCOL.certkeys): which account it is for, and what it leaves.
 * Everything is read from a certificate whose authority is trusted here and has really signed it.
 */
import type { CertificateAuthorities } from '../certificate-authorities/certificate-authorities.ts';
import { findFault } from '../certificate-authorities/standing.ts';
import { MalformedBlob } from '../keys/blob-reader.ts';
import {
  type Certificate,
  isSignedByAuthority,
  parseCertificate,
  plainAlgorithm,
} from '../keys/certificate.ts';
import { type VerifiedSignature, verifySignature } from '../keys/verify-signature.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountRow, CaRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import { matchesAddress } from './address-patterns.ts';
import type { OfferedKey, Refusal, SignedRequest } from './authenticator.ts';
import { certificateRestrictions } from './certificate-restrictions.ts';
import type { CertificateFacts } from './identity.ts';
import { findPresenceFault } from './user-presence.ts';

export interface CertificateLoginDependencies {
  readonly certificateAuthorities: CertificateAuthorities;
  readonly store: Reader;
  readonly clock: Clock;
}

/** What an identity is made of. */
export interface CertifiedLogin {
  readonly account: AccountRow;
  readonly keyId: string;
  readonly fingerprint: string;
  readonly facts: CertificateFacts;
}

export interface CertificateLogin {
  /** Whom the certificate would let in; it proves nothing yet. */
  lookUp(offered: OfferedKey): Promise<CertifiedLogin | Refusal>;
  /** The same, after the certified key has signed the request. */
  authenticate(request: SignedRequest): Promise<CertifiedLogin | Refusal>;
}

const refused = (detail: string): Refusal => ({ refused: 'certificate', detail });

/** The last second that a Date can hold; an end after it is none. */
const lastSecond = 8_640_000_000_000n;

export function createCertificateLogin(dependencies: CertificateLoginDependencies): CertificateLogin {
  const { certificateAuthorities, store, clock } = dependencies;

  async function findAccount({ principals }: Certificate): Promise<AccountRow | Refusal> {
    const found = await Promise.all(principals.map((name) => store.find('accounts', 'name', name)));
    const [account, ...more] = found.filter((row) => row !== undefined);
    if (!account) return refused("none of this certificate's principals names an account here");
    if (more.length > 0)
      return refused("more than one of this certificate's principals names an account here");
    return account;
  }

  async function lookUpCertificate(
    certificate: Certificate,
    { source, outer }: OfferedKey,
  ): Promise<CertifiedLogin | Refusal> {
    const authority = await certificateAuthorities.findByFingerprint(certificate.authority.fingerprint);
    if (!authority || !isSignedByAuthority(certificate)) return { refused: 'unknown' };
    if (certificate.kind !== 'user') return refused('this certificate is for a host, not for a person');
    if (BigInt(Math.floor(clock.now() / 1000)) < certificate.validAfter) {
      return refused('this certificate is not valid yet');
    }
    const restrictions = certificateRestrictions(certificate);
    if ('problem' in restrictions) return refused(restrictions.problem);
    const account = await findAccount(certificate);
    if ('refused' in account) return account;
    if (outer && outer.accountId !== account.id) return { refused: 'unknown' };
    if (account.disabled) return { refused: 'disabled' };
    const facts = factsOf(certificate, authority, restrictions);
    const fault = await findFault(store, facts, account, clock.now());
    if (fault !== undefined) return refused(fault);
    if (restrictions.from !== undefined && !matchesAddress(source.address, restrictions.from)) {
      return { refused: 'source', detail: 'this certificate is not good from your address' };
    }
    const keyId = `ca:${authority.name}:${certificate.serial}`;
    return { account, keyId, fingerprint: certificate.key.fingerprint, facts };
  }

  return {
    async lookUp(offered) {
      const certificate = parsed(offered.blob);
      return certificate ? lookUpCertificate(certificate, offered) : { refused: 'certificate' };
    },

    async authenticate(request) {
      const certificate = parsed(request.blob);
      const valid = certificate && verified(certificate, request);
      if (!valid) return { refused: 'signature' };
      const found = await lookUpCertificate(certificate, request);
      if ('refused' in found) return found;
      return findPresenceFault(valid.securityKey, found.facts.restrictions) ?? found;
    },
  };
}

function factsOf(
  { type, key, serial, keyId, validBefore }: Certificate,
  { id, name }: CaRow,
  restrictions: CertificateFacts['restrictions'],
): CertificateFacts {
  const expires = validBefore <= lastSecond;
  return {
    caId: id,
    caName: name,
    type,
    serial: String(serial),
    keyId,
    publicKey: key.line,
    ...(expires ? { expiresAt: new Date(Number(validBefore) * 1000).toISOString() } : {}),
    restrictions,
  };
}

function parsed(blob: Buffer): Certificate | undefined {
  return soundOrUndefined(() => parseCertificate(blob));
}

/** The certified key's own signature; its name is the plain algorithm's, not the certificate's. */
function verified(
  { key }: Certificate,
  { algorithm, signature, data }: SignedRequest,
): VerifiedSignature | undefined {
  const plain = plainAlgorithm(algorithm);
  return plain === undefined ? undefined : verifySignature({ key, algorithm: plain, signature, data });
}

function soundOrUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MalformedBlob) return undefined;
    throw error;
  }
}
