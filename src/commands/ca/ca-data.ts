import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import type { CaRow, RevocationRow } from '../../store/schema.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';

/** An authority as JSON shows it. */
export function caData({ name, fingerprint, publicKey, principals, admins, createdBy, createdAt }: CaRow) {
  return {
    name,
    fingerprint,
    public_key: publicKey,
    key_type: publicKey.split(' ')[0] ?? '',
    principals,
    admins,
    created_by: createdBy,
    created_at: createdAt,
  };
}

export function revocationData({ serial, keyId, createdBy, createdAt }: RevocationRow) {
  return {
    serial: serial ?? null,
    key_id: keyId ?? null,
    created_by: createdBy,
    created_at: createdAt,
  };
}

export function caTable(rows: readonly CaRow[]): string {
  const lines = rows.map((row) => [
    row.name,
    row.publicKey.split(' ')[0] ?? '',
    row.fingerprint,
    row.principals.join(','),
    row.admins ? 'yes' : 'no',
    shortTime(row.createdAt, ''),
  ]);
  return textTable(['NAME', 'TYPE', 'FINGERPRINT', 'ACCOUNTS', 'ADMINS', 'ADDED'], lines);
}

/** What `--serial` and `--key-id` named, for people. */
export const revokedText = ({ serial, keyId = '' }: RevocationRow) =>
  serial === undefined ? `certificates with key id "${printable(excerpt(keyId))}"` : `certificate ${serial}`;
