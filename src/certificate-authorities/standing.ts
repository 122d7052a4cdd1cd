/** What must hold of a certificate at every moment it is used, not only when it logs in. */
import type { AccountRow, CaRow } from '../store/schema.ts';
import type { Reader } from '../store/store.ts';

/** The part of a certificate that a later decision may turn on. */
export interface CertificateStanding {
  /** The row of the authority it came in by. */
  readonly caId: string;
  /** In decimal. */
  readonly serial: string;
  readonly keyId: string;
  /** ISO 8601; undefined: it does not expire. */
  readonly expiresAt?: string;
}

export const everyAccount = '*';

/** Whether the authority may speak for the account at all; for admins it must be allowed to expressly. */
export function covers({ principals, admins }: CaRow, { name, role }: AccountRow): boolean {
  if (role === 'admin' && !admins) return false;
  return principals.includes(everyAccount) || principals.includes(name);
}

/** Why the certificate is no way into the account now; undefined when it is one. For whoever holds it to read. */
export async function findFault(
  reader: Reader,
  { caId, serial, keyId, expiresAt }: CertificateStanding,
  account: AccountRow,
  nowMs: number,
): Promise<string | undefined> {
  const authority = await reader.get('cas', caId);
  if (!authority) return 'the authority that signed this certificate is no longer trusted here';
  if (!covers(authority, account)) return 'the authority of this certificate may not speak for this account';
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs)) {
    return `this certificate expired at ${expiresAt}`;
  }
  const revoked = [{ serial }, { keyId }].map((which) => revocationId(authority.fingerprint, which));
  for (const id of revoked) {
    if (await reader.get('revocations', id)) return 'this certificate was revoked';
  }
  return undefined;
}

export const revocationId = (fingerprint: string, which: { serial: string } | { keyId: string }) =>
  'serial' in which ? `${fingerprint} serial=${which.serial}` : `${fingerprint} key-id=${which.keyId}`;

/** Whether some authority may speak for an account of this name, so that nobody may choose it for themselves. */
export async function isPrincipal(reader: Reader, name: string): Promise<boolean> {
  return (await reader.list('cas')).some(({ principals }) => principals.includes(name));
}
