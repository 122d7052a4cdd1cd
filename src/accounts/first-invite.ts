/** The invite that a gateway shows when it starts and nobody has an account. */
import type { InviteRow } from '../store/schema.ts';

const prefix = 'gateway';

/** For its row's `createdBy`. `gatewayName`: of one of several on a database. */
export const firstInviteBy = (gatewayName: string | undefined): string =>
  gatewayName === undefined ? prefix : `${prefix} ${gatewayName}`;

/** No account's id has a space in it, or is that short. */
export const isFirstInvite = ({ createdBy }: InviteRow): boolean =>
  createdBy === prefix || createdBy.startsWith(`${prefix} `);
