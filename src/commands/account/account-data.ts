import type { AccountRow } from '../../store/schema.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';

export function accountData(row: AccountRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email ?? null,
    role: row.role,
    disabled: row.disabled,
    ...(row.secondFactorRequired ? { mfa: 'required' } : {}),
    created_at: row.createdAt,
  };
}

export function accountTable(rows: readonly AccountRow[]): string {
  const lines = rows.map(({ name, role, disabled, email, createdAt }) => [
    name,
    role,
    disabled ? 'disabled' : 'active',
    email ?? '',
    shortTime(createdAt, ''),
  ]);
  return rows.length === 0 ? 'no accounts' : textTable(['NAME', 'ROLE', 'STATE', 'EMAIL', 'SINCE'], lines);
}

/** The answer of a command that changed one account. */
export const accountAnswer = (row: AccountRow, text: string) => ({ data: accountData(row), text });
