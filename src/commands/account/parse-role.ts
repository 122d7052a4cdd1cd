import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Role } from '../../store/schema.ts';

/** Throws `usage` for anything but the two roles. */
export function parseRole(text: string): Role {
  if (text === 'admin' || text === 'member') return text;
  throw new GatewayError('usage', {
    problem: `"${excerpt(text)}" is no role; there are "admin" and "member".`,
  });
}
