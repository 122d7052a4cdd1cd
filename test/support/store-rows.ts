/** Rows with as little in them as their shape allows. */
import type { AccountRow, KeyRow } from '../../src/store/schema.ts';

export const accountRow = (id: string, name = id, more: Partial<AccountRow> = {}): AccountRow => ({
  id,
  name,
  role: 'member',
  disabled: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  origin: 'operator',
  ...more,
});

export const keyRow = (id: string, accountId: string, more: Partial<KeyRow> = {}): KeyRow => ({
  id,
  accountId,
  name: id,
  fingerprint: `SHA256:${id}`,
  publicKey: 'ssh-ed25519 AAAA',
  keyType: 'ssh-ed25519',
  kind: 'user',
  createdAt: '2026-01-01T00:00:00.000Z',
  restrictions: {},
  ...more,
});
