/** What was let in and is served by workers, and who is to be told of it. */
import type { Serving } from './gateway-doors.ts';
import { randomId } from './platform/ids.ts';
import type { Startup } from './ssh/arrival.ts';
import type { HeldConnection, LeftNews } from './workers/orders.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** Where connections are counted that supervisors before this one let in. */
export interface Adopters {
  ssh(source: string, isAuthenticated: boolean): Startup;
  http(source: string | undefined): () => void;
}

export interface Arrivals {
  readonly doors: Pick<Serving, 'ssh' | 'http'>;
  /** What a worker has, of which some may be known. */
  held(worker: string, connections: readonly HeldConnection[]): void;
  /** From now on what is held is counted, and what was before. */
  count(adopters: Adopters): void;
  authenticated(connection: string): void;
  /** False: it counts nowhere here. */
  left(connection: string, offence?: LeftNews['offence']): boolean;
  /** All that a worker had of supervisors before this one. */
  gone(worker: string): void;
}

export function createArrivals(pool: Pick<WorkerPool, 'pass' | 'left'>): Arrivals {
  const open = new Map<string, Startup>();
  const adopted = new Map<string, { readonly worker: string; readonly held: HeldConnection }>();
  let adopters: Adopters | undefined;
  const add = (startup: Startup): string => {
    const connection = randomId();
    open.set(connection, startup);
    return connection;
  };
  const count = ({ connection, kind, source, isAuthenticated }: HeldConnection) => {
    if (!adopters) return;
    const startup =
      kind === 'ssh'
        ? adopters.ssh(source ?? '', isAuthenticated)
        : { authenticated: () => {}, left: adopters.http(source) };
    open.set(connection, startup);
  };
  const left: Arrivals['left'] = (connection, offence) => {
    const startup = open.get(connection);
    open.delete(connection);
    adopted.delete(connection);
    pool.left(connection);
    startup?.left(offence);
    return startup !== undefined;
  };

  return {
    left,
    doors: passingDoors(pool, add),
    held(worker, connections) {
      for (const held of connections) {
        if (open.has(held.connection) || adopted.has(held.connection)) continue;
        adopted.set(held.connection, { worker, held });
        count(held);
      }
    },
    count(how) {
      adopters = how;
      for (const { held } of adopted.values()) count(held);
    },
    authenticated(connection) {
      open.get(connection)?.authenticated();
      const waiting = adopted.get(connection);
      if (waiting) adopted.set(connection, { ...waiting, held: { ...waiting.held, isAuthenticated: true } });
    },
    gone(worker) {
      for (const [connection, { worker: of }] of adopted) if (of === worker) left(connection);
    },
  };
}

/** What is let in is a worker's. `add` names a connection. */
const passingDoors = (
  pool: Pick<WorkerPool, 'pass'>,
  add: (startup: Startup) => string,
): Arrivals['doors'] => ({
  ssh({ socket, ends, head, startup }) {
    const connection = add(startup);
    const passed = { kind: 'ssh', connection, ends, head: head.toString('base64') } as const;
    pool.pass(passed, socket);
  },
  http(socket, onLeft) {
    const connection = add({ authenticated: () => {}, left: onLeft });
    pool.pass({ kind: 'http', connection }, socket);
  },
});
