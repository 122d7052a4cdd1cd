import type { Principal } from '../../auth/authorizer.ts';
import type { KeyRow } from '../../store/schema.ts';
import { textTable } from '../interpreter/text-table.ts';
import { shortTime } from '../text-parts.ts';
import { restrictionsParts } from './restrictions-data.ts';

const head = ['NAME', 'TYPE', 'FINGERPRINT', 'ADDED', 'LAST USED', 'RESTRICTIONS'];

/** Keys for people; the one of this connection has a star. */
export function keyTable(rows: readonly KeyRow[], { key }: Principal): string {
  if (rows.length === 0) return 'no keys';
  const lines = rows.map((row) => [
    row.id === key.id ? `${row.name} *` : row.name,
    row.keyType,
    row.fingerprint,
    shortTime(row.createdAt, ''),
    shortTime(row.lastUsedAt, 'never'),
    restrictionsText(row),
  ]);
  const note = rows.some(({ id }) => id === key.id) ? ['', '* the key of this connection'] : [];
  return [textTable(head, lines), ...note].join('\n');
}

function restrictionsText({ tag, expiresAt, restrictions }: KeyRow): string {
  const parts = [
    tag === undefined ? '' : `tag=${tag}`,
    expiresAt === undefined ? '' : `expires ${shortTime(expiresAt, '')}`,
    ...restrictionsParts(restrictions),
  ];
  return parts.filter((part) => part !== '').join(', ');
}
