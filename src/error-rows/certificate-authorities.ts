/** Certificate authorities. */
import { row, usage } from './row.ts';

export const certificateAuthoritiesErrors = {
  'invalid-ca': usage<{ problem: string }>(({ problem }) => problem),
  'ca-taken': row<{ ca: string }>(
    1,
    409,
    ({ ca }) => `the authority "${ca}" has this name or this key already; "ca show ${ca}" shows it.`,
  ),
  'ca-not-found': row<{ ca: string }>(
    1,
    404,
    ({ ca }) => `there is no authority "${ca}"; "ca list" shows them.`,
  ),
  'revocation-not-found': row<{ ca: string }>(
    1,
    404,
    ({ ca }) => `nothing of the kind is revoked; "ca show ${ca}" shows what is.`,
  ),
} as const;
