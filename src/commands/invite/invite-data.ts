import type { InviteRow } from '../../store/schema.ts';

/** Without the code's hash: that is nobody's business. */
export function inviteData({ id, role, name, createdBy, createdAt, expiresAt }: InviteRow) {
  return {
    id,
    role,
    name: name ?? null,
    created_by: createdBy,
    created_at: createdAt,
    expires_at: expiresAt,
  };
}
