import type { Connections, LiveConnection, LiveSession } from './connections.ts';

/** The registry of what is open on this gateway, in order of opening. */
export function createConnections(): Connections {
  const connections = new Set<LiveConnection>();
  const sessions = new Set<LiveSession>();
  const reserved = new Map<string, number>();
  const add = <T>(set: Set<T>, member: T) => {
    set.add(member);
    return () => void set.delete(member);
  };
  return {
    listConnections: () => [...connections],
    listSessions: () => [...sessions],
    addConnection: (connection) => add(connections, connection),
    addSession: (session) => add(sessions, session),
    reserveSession(accountId, limit) {
      const taken = reserved.get(accountId) ?? 0;
      if (taken >= limit) return undefined;
      reserved.set(accountId, taken + 1);
      return () => {
        const left = (reserved.get(accountId) ?? 1) - 1;
        if (left === 0) reserved.delete(accountId);
        else reserved.set(accountId, left);
      };
    },
    closeConnection(connection, reason) {
      for (const session of [...sessions]) {
        // A command of the lobby is over in a moment, and may be the very one that closes this connection:
        // it keeps its answer and its status. What does not end is cut off by the disconnect.
        const isLobbyCommand = session.target === 'lobby' && session.what !== 'shell';
        if (session.connectionId === connection.id && !isLobbyCommand) session.end(reason);
      }
      connection.close(reason);
    },
  };
}
