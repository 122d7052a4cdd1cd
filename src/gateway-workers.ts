/** The composition of workers, in their supervisor: they serve what its entrances let in, by its store and its ports. */
import type { Logger } from 'pino';
import type { Audit } from './audit/audit.ts';
import type { Penalties } from './auth/penalties.ts';
import type { Config } from './config/config.ts';
import { type Adopters, createArrivals } from './gateway-arrivals.ts';
import type { Serving } from './gateway-doors.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import { openWorkersServing, renewWorker } from './gateway-workers-serving.ts';
import type { Peer } from './ipc/peer.ts';
import type { Handler } from './ipc/serving.ts';
import type { Address } from './sessions/session.ts';
import { attachMethod, type Heard } from './store/over-ipc/protocol.ts';
import { type StoreServer, serveStore } from './store/over-ipc/serve-store.ts';
import type { Store } from './store/store.ts';
import type { PortsServer } from './workers/ports/serve-ports.ts';
import { createReturn, type ReturnOfWorkers } from './workers/return-of-workers.ts';
import type { DeadWorker, WorkerPool } from './workers/worker-pool.ts';
import {
  createWorkerRegistry,
  type RegisteredWorker,
  type WorkerRegistry,
} from './workers/worker-registry.ts';

export interface WorkersDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly pool: WorkerPool;
  /** What the supervisor before handed over, or had remembered. */
  readonly memory: WorkersMemory | undefined;
  /** Keeps it for whoever comes after a crash. */
  readonly remember: (memory: WorkersMemory) => void;
}

/** Plain data, of perhaps another version. */
export interface WorkersMemory {
  readonly workers: readonly { readonly id: string; readonly pid: number }[];
  /** Unset after a crash: changes may have been made then that nobody was told of. */
  readonly heard?: Heard | undefined;
  /** Where they find whoever is in charge. */
  readonly dataDir?: string | undefined;
  /** What only the one before remembered; unset where it could not say it. */
  readonly gateway?: GatewayMemory | undefined;
}

export interface Workers {
  /** For this process: a change is acknowledged when all workers know of it. */
  shareStore(store: Store): Store;
  open(parts: OpenParts): Promise<WorkersServing>;
  /** Those that are connected, and those of the supervisor before this one that are awaited. */
  list(): readonly Pick<RegisteredWorker, 'id' | 'peer'>[];
  /** Resolves when the workers of the supervisor before this one are connected, or gone. */
  readonly ready: Promise<unknown>;
  /** One that was passed on came to nobody. */
  refused(connection: string): void;
  /** One of the pool takes sockets. */
  serves(worker: string): void;
  /** One of the pool has ended. */
  died(dead: DeadWorker): void;
}

export interface OpenParts {
  /** Live: what the program round the gateway began with does not change. */
  readonly config: Config;
  readonly audit: Pick<Audit, 'workerDied'>;
  readonly sshAddress: () => Address;
  /** The gateway is about to stop. */
  readonly isDraining: () => boolean;
  readonly penalise: Penalties['penalise'];
  /** What workers may ask beside the store. */
  readonly ports: PortsServer | undefined;
}

export interface WorkersServing extends Serving {
  /** To be called when the entrances, which count, are open. Resolves when the first worker serves. */
  begin(entrances: Adopters): Promise<void>;
  /** Their health tells from now on what `isDraining` does, that of those that come later too. */
  announceDrain(): void;
  /** Leaves them to a successor; those of supervisors before this one close what they have after `timeoutMs`. */
  leave(timeoutMs?: number): Promise<WorkersMemory>;
}

/** For those of a supervisor before, until they have found this one. */
const returnWithinMs = 15_000;

export function createWorkers({ config, log, pool, memory, remember }: WorkersDependencies): Workers {
  const onFault = (error: unknown, method: string) =>
    log.error({ err: error, method }, 'a request of another process failed');
  let parts: OpenParts | undefined;
  const arrivals = createArrivals(pool);
  const gone = (id: string, pid: number, how?: DeadWorker) => {
    parts?.ports?.gone(id);
    arrivals.gone(id);
    // Before that, whoever starts this one is told.
    if (!parts || registry.isLeaving(id)) return;
    const { signal = null, status = null, connections = [] } = how ?? {};
    log.error({ worker: id, workerPid: pid, signal, status }, 'a worker died');
    parts?.audit.workerDied({ worker: id, pid, signal, status, connections: connections.length });
  };
  const registry = createWorkerRegistry({
    warn: (sentence) => log.error(sentence),
    onGone: ({ id, pid }) => !pool.isOwn(id) && gone(id, pid),
    onChange: () => remember(known()),
  });
  const returning = createReturn(memory?.workers ?? [], returnWithinMs);
  const known = (): WorkersMemory => ({
    workers: [...registry.list(), ...returning.missing()].map(({ id, pid }) => ({ id, pid })),
    dataDir: config.dataDir,
  });
  const sharing = createSharing(onFault, registry, returning, memory?.heard);
  return {
    shareStore: sharing.share,
    list: () => [...registry.list(), ...returning.missing().map((each) => ({ ...each, peer: undefined }))],
    ready: returning.settled,
    refused: (connection) => void arrivals.left(connection),
    serves: (id) => parts && void renewWorker(registry.find(id)?.peer, parts),
    died(worker) {
      for (const connection of worker.connections) arrivals.left(connection);
      // What it said last may not have been read yet.
      void registry.whenGone(worker.id).then(() => gone(worker.id, worker.pid ?? 0, worker));
    },
    async open(opened) {
      parts = opened;
      const memoryOfNow = () => ({ ...known(), heard: sharing.heard() });
      const supervised = { pool, registry, arrivals, onFault, storeFor: sharing.handlersFor };
      const serving = await openWorkersServing({ ...supervised, remember: memoryOfNow }, opened);
      // They find us from now on.
      returning.begin(gone);
      return serving;
    },
  };
}

/** The store, for this process and for workers: what changes is acknowledged when all of these know of it. */
function createSharing(
  onFault: (error: unknown, method: string) => void,
  registry: WorkerRegistry,
  returning: ReturnOfWorkers,
  heard: Heard | undefined,
) {
  let shared: StoreServer | undefined;
  return {
    share(store: Store): Store {
      const server = serveStore({
        store,
        onFault,
        endClient: registry.end,
        ...(heard ? { follows: heard } : {}),
      });
      shared = server;
      server.waitFor(returning.settled);
      const close = () => {
        server.close();
        return store.close();
      };
      return { ...server.store, close };
    },
    heard: () => shared?.heard(),
    handlersFor: (worker: string, peer: Peer) =>
      shared ? withReturn(shared.handlersFor(peer), () => returning.back(worker)) : [],
  };
}

/** From its first word on, it is told of changes. */
function withReturn(handlers: ReadonlyMap<string, Handler>, back: () => void): ReadonlyMap<string, Handler> {
  const attach = handlers.get(attachMethod);
  return new Map(handlers).set(attachMethod, (params) => {
    attach?.(params);
    back();
  });
}
