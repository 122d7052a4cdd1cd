import type { Connections, LiveConnection, LiveSession } from './connections.ts';

/** The registry of what is open on this gateway, in order of opening. */
export function createConnections(): Connections {
  const connections = new Set<LiveConnection>();
  const sessions = new Set<LiveSession>();
  const add = <T>(set: Set<T>, member: T) => {
    set.add(member);
    return () => void set.delete(member);
  };
  return {
    listConnections: () => [...connections],
    listSessions: () => [...sessions],
    addConnection: (connection) => add(connections, connection),
    addSession: (session) => add(sessions, session),
    closeConnection(connection, reason) {
      for (const session of [...sessions]) {
        if (session.connectionId === connection.id) session.end(reason);
      }
      connection.close(reason);
    },
  };
}
