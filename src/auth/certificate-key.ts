/** An identity that came in by a certificate, as if a key with the certificate's restrictions stood behind it. */
import { findFault } from '../certificate-authorities/standing.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';
import type { CertificateFacts, Identity } from './identity.ts';

/** Undefined when the certificate is no longer good: expired, revoked, or its authority no longer trusted so far. */
export async function findCertificateKey(
  reader: Reader,
  identity: Identity,
  certificate: CertificateFacts,
  nowMs: number,
): Promise<KeyRow | undefined> {
  const account = await reader.get('accounts', identity.accountId);
  if (!account || (await findFault(reader, certificate, account, nowMs)) !== undefined) return undefined;
  const { type, publicKey, restrictions, expiresAt } = certificate;
  return {
    id: identity.keyId,
    accountId: identity.accountId,
    name: identity.keyId,
    fingerprint: identity.fingerprint,
    publicKey,
    keyType: type,
    kind: 'user',
    createdAt: account.createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    restrictions,
  };
}
