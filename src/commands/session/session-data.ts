import type { Principal } from '../../auth/authorizer.ts';
import type { SessionContext } from '../../sessions/session.ts';
import type { SessionFacts, SessionQuery } from '../../sessions/session-directory.ts';

/** Which sessions somebody may see and end: an admin with an unrestricted key all, everybody else their own. */
export function visibleTo({ account, restricted }: Principal): SessionQuery {
  return account.role === 'admin' && !restricted ? {} : { accountId: account.id };
}

export const sessionData = (session: SessionFacts, { sessionId }: SessionContext) => ({
  id: session.id,
  ...(session.gateway === undefined ? {} : { gateway: session.gateway }),
  connection_id: session.connectionId,
  account: session.account,
  target: session.target,
  what: session.what,
  source: session.source,
  since: session.openedAt,
  bytes_in: session.bytesIn,
  bytes_out: session.bytesOut,
  current: session.id === sessionId,
});

/** What stands beside an answer that may lack something. */
export const silenceNotice = (silent: readonly string[]): string =>
  `${silent.join(', ')} did not answer in time; what runs there is not in the list.`;
