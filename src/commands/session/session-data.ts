import type { Principal } from '../../auth/authorizer.ts';
import type { LiveSession } from '../../sessions/connections.ts';
import type { SessionContext } from '../../sessions/session.ts';
import type { CommandServices } from '../command.ts';

/** The sessions somebody may see and end: an admin with an unrestricted key all, everybody else their own. */
export function visibleSessions({ connections }: Pick<CommandServices, 'connections'>, principal: Principal) {
  const seesAll = principal.account.role === 'admin' && !principal.restricted;
  return connections
    .listSessions()
    .filter((live) => seesAll || live.identity.accountId === principal.account.id);
}

export function sessionData(live: LiveSession, { sessionId }: SessionContext) {
  const { bytesIn, bytesOut } = live.traffic();
  return {
    id: live.id,
    connection_id: live.connectionId,
    account: live.identity.accountName,
    target: live.target,
    what: live.what,
    source: live.identity.source.address,
    since: live.openedAt,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    current: live.id === sessionId,
  };
}
