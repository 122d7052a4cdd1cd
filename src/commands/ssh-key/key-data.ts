import type { Principal } from '../../auth/authorizer.ts';
import { fingerprintMd5 } from '../../keys/parse-public-key.ts';
import type { KeyRow } from '../../store/schema.ts';
import { restrictionsData } from './restrictions-data.ts';

/** A key as JSON shows it. `current`: the key of this connection. `comment` and `restrictions` only where there are some. */
export function keyData(row: KeyRow, { key }: Principal) {
  const restrictions = restrictionsData(row.restrictions);
  return {
    id: row.id,
    name: row.name,
    public_key: row.publicKey,
    ...(row.comment === undefined ? {} : { comment: row.comment }),
    fingerprint: row.fingerprint,
    fingerprint_md5: fingerprintMd5(Buffer.from(row.publicKey.split(' ')[1] ?? '', 'base64')),
    key_type: row.keyType,
    current: row.id === key.id,
    created_at: row.createdAt,
    last_used_at: row.lastUsedAt ?? null,
    expires_at: row.expiresAt ?? null,
    tag: row.tag ?? null,
    kind: row.kind,
    ...(restrictions === undefined ? {} : { restrictions }),
  };
}
