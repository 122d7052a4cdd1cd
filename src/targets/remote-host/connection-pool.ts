/** Connections to hosts, shared by those who may share one. */
import type { HostConnection } from '../host-connection.ts';

/** To be given back once. */
export interface Lease {
  readonly connection: HostConnection;
  /** Whether others had it before. */
  readonly shared: boolean;
  giveBack(): void;
}

export interface ConnectionPool {
  /** The connection of that key, or what `open` makes. */
  take(key: string, open: () => Promise<HostConnection>): Promise<Lease>;
  /** Ends all. */
  close(): void;
}

interface Entry {
  readonly opening: Promise<HostConnection>;
  users: number;
  idle?: NodeJS.Timeout;
}

/** `lingerMs`: how long a connection that nobody uses waits for the next. */
export function createConnectionPool(lingerMs: number): ConnectionPool {
  const entries = new Map<string, Entry>();
  const open = new Set<HostConnection>();

  function begin(key: string, connect: () => Promise<HostConnection>): Entry {
    const entry: Entry = { opening: connect(), users: 0 };
    entries.set(key, entry);
    const forget = () => {
      if (entries.get(key) === entry) entries.delete(key);
    };
    entry.opening.then((connection) => {
      const gone = () => {
        forget();
        open.delete(connection);
      };
      open.add(connection);
      if (connection.gone.aborted) gone();
      connection.gone.addEventListener('abort', gone, { once: true });
    }, forget);
    return entry;
  }

  return {
    async take(key, connect) {
      const found = entries.get(key);
      const entry = found ?? begin(key, connect);
      clearTimeout(entry.idle);
      entry.users++;
      const giveBack = (connection?: HostConnection) => {
        entry.users--;
        if (entry.users > 0 || !connection) return;
        entry.idle = setTimeout(() => connection.close(), lingerMs).unref();
      };
      try {
        const connection = await entry.opening;
        return { connection, shared: found !== undefined, giveBack: () => giveBack(connection) };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    close() {
      for (const { idle } of entries.values()) clearTimeout(idle);
      entries.clear();
      for (const connection of open) connection.close();
    },
  };
}
