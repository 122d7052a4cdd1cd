/** The rules about certificate authorities: whose OpenSSH user certificates are a way in, and for whom. */
import type { PublicKey } from '../keys/key-types.ts';
import type { CaRow, RevocationRow } from '../store/schema.ts';

/** One certificate by number, or all certificates with a key id. */
export type Revocable = { readonly serial: string } | { readonly keyId: string };

export interface CertificateAuthorities {
  /** Throws invalid-ca, ca-taken. `principals` are names of accounts, or `*` alone. */
  add(authority: {
    name: string;
    key: PublicKey;
    principals: readonly string[];
    admins: boolean;
    createdBy: string;
  }): Promise<CaRow>;
  /** In order of adding. */
  list(): Promise<readonly CaRow[]>;
  /** Throws ca-not-found. */
  getByName(name: string): Promise<CaRow>;
  findByFingerprint(fingerprint: string): Promise<CaRow | undefined>;
  /** What was revoked stays so if the same key is added again. Throws ca-not-found. */
  remove(name: string): Promise<CaRow>;
  /** Doing it twice is no error. Throws ca-not-found, invalid-ca. */
  revoke(name: string, which: Revocable, createdBy: string): Promise<RevocationRow>;
  /** Throws ca-not-found, revocation-not-found. */
  unrevoke(name: string, which: Revocable): Promise<RevocationRow>;
  listRevocations(authority: CaRow): Promise<readonly RevocationRow[]>;
}
