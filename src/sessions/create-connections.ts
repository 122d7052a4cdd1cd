import type { Connections, LiveCommand, LiveConnection, LiveSession } from './connections.ts';

/** The registry of what is open in this process, in order of opening. */
export function createConnections(): Connections {
  const connections = new Set<LiveConnection>();
  const sessions = new Set<LiveSession>();
  const commands = new Set<LiveCommand>();
  const looks = new Set<(session: LiveSession) => Promise<void>>();
  const add = <T>(set: Set<T>, member: T) => {
    set.add(member);
    return () => void set.delete(member);
  };
  return {
    listConnections: () => [...connections],
    listSessions: () => [...sessions],
    listCommands: () => [...commands],
    addConnection: (connection) => add(connections, connection),
    addSession(session) {
      const remove = add(sessions, session);
      return { remove, looked: Promise.all([...looks].map((look) => look(session))) };
    },
    addCommand: (command) => add(commands, command),
    onSession: (look) => add(looks, look),
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
