/** The composition of workers, in their supervisor: they serve what its entrances let in, by its store and its ports. */
import type { Logger } from 'pino';
import type { Audit } from './audit/audit.ts';
import type { Config } from './config/config.ts';
import { GatewayError } from './errors.ts';
import type { Serving } from './gateway-doors.ts';
import { openIpcListener } from './ipc/open-listener.ts';
import type { Peer } from './ipc/peer.ts';
import type { Handler } from './ipc/serving.ts';
import { randomId } from './platform/ids.ts';
import { socketPath } from './platform/socket-path.ts';
import type { Address } from './sessions/session.ts';
import type { Startup } from './ssh/arrival.ts';
import { serveStore } from './store/over-ipc/serve-store.ts';
import type { Store } from './store/store.ts';
import {
  type AuthenticatedNews,
  type CloseOrder,
  type DrainOrder,
  type LeftNews,
  news,
  orders,
  parseWorkerIdentity,
  type RenewOrder,
} from './workers/orders.ts';
import type { DeadWorker, WorkerPool } from './workers/worker-pool.ts';
import { createWorkerRegistry, type RegisteredWorker } from './workers/worker-registry.ts';

export interface WorkersDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly pool: WorkerPool;
}

export interface Workers {
  /** For this process: a change is acknowledged when all workers know of it. */
  shareStore(store: Store): Store;
  open(parts: OpenParts): Promise<WorkersServing>;
  /** One that was passed on came to nobody. */
  refused(connection: string): void;
  /** One of the pool has ended. */
  died(dead: DeadWorker): void;
}

export interface OpenParts {
  readonly audit: Pick<Audit, 'workerDied'>;
  readonly sshAddress: () => Address;
  /** What a worker may ask beside the store. */
  readonly handlersFor: (worker: RegisteredWorker, peer: Peer) => Iterable<readonly [string, Handler]>;
  /** Its sessions have ended with it. */
  readonly onGone: (workerId: string) => void;
}

export interface WorkersServing extends Serving {
  /** To be called when the entrances are open. Resolves when the first worker serves. */
  begin(): Promise<void>;
  /** Leaves them to a successor. */
  leave(): Promise<unknown>;
}

const leaveWithinMs = 15_000;
/** For the answer, beyond the time that the work itself may take. */
const answerMs = 3_000;

export function createWorkers({ config, log, pool }: WorkersDependencies): Workers {
  const onFault = (error: unknown, method: string) =>
    log.error({ err: error, method }, 'a request of another process failed');
  let parts: OpenParts | undefined;
  const arrivals = createArrivals(pool);
  const dead = new Map<string, DeadWorker>();
  const gone = (id: string, pid: number) => {
    const { signal = null, status = null, connections = [] } = dead.get(id) ?? {};
    dead.delete(id);
    parts?.onGone(id);
    if (registry.isLeaving(id)) return;
    log.error({ worker: id, workerPid: pid, signal, status }, 'a worker died');
    parts?.audit.workerDied({ worker: id, pid, signal, status, connections: connections.length });
  };
  const registry = createWorkerRegistry({
    warn: (sentence) => log.error(sentence),
    onGone: ({ id, pid }) => gone(id, pid),
  });
  let shared: ReturnType<typeof serveStore> | undefined;

  return {
    shareStore(store) {
      shared = serveStore({ store, onFault, endClient: registry.end });
      const { close } = shared;
      const closeBoth = () => {
        close();
        return store.close();
      };
      return { ...shared.store, close: closeBoth };
    },
    refused: (connection) => arrivals.left(connection),
    died(worker) {
      for (const connection of worker.connections) arrivals.left(connection);
      dead.set(worker.id, worker);
      // Else it is heard of again when its connection to us has ended.
      if (!registry.find(worker.id)) gone(worker.id, worker.pid ?? 0);
    },
    async open(opened) {
      parts = opened;
      const path = socketPath(config.dataDir, 'workers.sock');
      const listener = await openIpcListener({
        path,
        onFault,
        accept({ who }, peer) {
          const identity = parseWorkerIdentity(who);
          if (!identity) throw new GatewayError('process-refused', { problem: 'it is no worker' });
          const worker = registry.add(identity, peer);
          return new Map<string, Handler>([
            ...(shared?.handlersFor(peer) ?? []),
            ...opened.handlersFor(worker, peer),
            [
              news.authenticated,
              (params) => arrivals.authenticated((params as AuthenticatedNews).connection),
            ],
            [news.left, (params) => arrivals.left(...leftOf(params as LeftNews))],
            [news.leaving, () => registry.noteLeaving(worker.id)],
          ]);
        },
      });
      const plain = (): Config => ({ ...config });
      return {
        begin: () =>
          pool.serve({ kind: 'serve', config: plain(), sshAddress: opened.sshAddress(), socketPath: path }),
        ...arrivals.doors,
        async renew() {
          await registry.ask(orders.renew, { config: plain() } satisfies RenewOrder, answerMs);
        },
        async drain({ timeoutMs, hurry }) {
          const stopWaiting = () => registry.tell(orders.hurry);
          hurry.addEventListener('abort', stopWaiting, { once: true });
          await registry.ask(orders.drain, { timeoutMs } satisfies DrainOrder, timeoutMs + answerMs);
          hurry.removeEventListener('abort', stopWaiting);
        },
        async close(graceMs, reason) {
          pool.stop();
          for (const worker of registry.list()) registry.noteLeaving(worker.id);
          await registry.ask(orders.close, { graceMs, reason } satisfies CloseOrder, graceMs + answerMs);
          registry.close();
          await pool.end(answerMs);
          await listener.close();
        },
        async leave() {
          registry.close();
          await listener.leave(leaveWithinMs);
          return shared?.heard();
        },
      };
    },
  };
}

const leftOf = ({ connection, offence }: LeftNews) => [connection, offence] as const;

/** What was passed on, and who is to be told of it. */
function createArrivals(pool: WorkerPool) {
  const open = new Map<string, Startup>();
  const left: (connection: string, offence?: LeftNews['offence']) => void = (connection, offence) => {
    const startup = open.get(connection);
    open.delete(connection);
    pool.left(connection);
    startup?.left(offence);
  };
  const add = (startup: Startup): string => {
    const connection = randomId();
    open.set(connection, startup);
    return connection;
  };
  const doors: Pick<Serving, 'ssh' | 'http'> = {
    ssh({ socket, ends, head, startup }) {
      const connection = add(startup);
      const passed = { kind: 'ssh', connection, ends, head: head.toString('base64') } as const;
      pool.pass(passed, socket);
    },
    http(socket, onLeft) {
      const connection = add({ authenticated: () => {}, left: onLeft });
      pool.pass({ kind: 'http', connection }, socket);
    },
  };
  return { doors, left, authenticated: (connection: string) => open.get(connection)?.authenticated() };
}
