/** The composition of workers, in their supervisor: they serve what its entrances let in, by its store and its ports. */
import type { Logger } from 'pino';
import type { Audit } from './audit/audit.ts';
import type { Penalties } from './auth/penalties.ts';
import type { Config } from './config/config.ts';
import { GatewayError } from './errors.ts';
import { type Adopters, createArrivals } from './gateway-arrivals.ts';
import type { Serving } from './gateway-doors.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import { openIpcListener } from './ipc/open-listener.ts';
import type { Peer } from './ipc/peer.ts';
import type { Handler } from './ipc/serving.ts';
import { socketPath } from './platform/socket-path.ts';
import type { Address } from './sessions/session.ts';
import { attachMethod, type Heard } from './store/over-ipc/protocol.ts';
import { serveStore } from './store/over-ipc/serve-store.ts';
import type { Store } from './store/store.ts';
import {
  type AuthenticatedNews,
  type CloseOrder,
  type DrainOrder,
  type HeldNews,
  type LeftNews,
  news,
  orders,
  parseWorkerIdentity,
  type RenewOrder,
} from './workers/orders.ts';
import type { PortsServer } from './workers/ports/serve-ports.ts';
import { awaitWorkers, type ReturnOfWorkers } from './workers/return-of-workers.ts';
import type { DeadWorker, WorkerPool } from './workers/worker-pool.ts';
import { createWorkerRegistry, type RegisteredWorker } from './workers/worker-registry.ts';

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
  readonly penalise: Penalties['penalise'];
  /** What workers may ask beside the store. */
  readonly ports: PortsServer | undefined;
}

export interface WorkersServing extends Serving {
  /** To be called when the entrances, which count, are open. Resolves when the first worker serves. */
  begin(entrances: Adopters): Promise<void>;
  /** Leaves them to a successor. */
  leave(): Promise<WorkersMemory>;
}

/** For those of a supervisor before, until they have found this one. */
const returnWithinMs = 15_000;
const leaveWithinMs = 15_000;
/** For the answer, beyond the time that the work itself may take. */
const answerMs = 3_000;

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
    onChange: () => remember(own()),
  });
  const missing = () => returning?.missing() ?? memory?.workers ?? [];
  const own = (): WorkersMemory => ({
    workers: [...registry.list(), ...missing()].map(({ id, pid }) => ({ id, pid })),
    dataDir: config.dataDir,
  });
  /** One that cannot yet is asked again when it serves. */
  const renewOne = async (peer: Peer | undefined) => {
    if (!parts) return;
    const order: RenewOrder = { config: { ...parts.config }, keys: Object.keys(parts.config) };
    await peer?.request(orders.renew, order, { deadlineMs: answerMs }).catch(() => {});
  };
  let returning: ReturnOfWorkers | undefined;
  const allBack = Promise.withResolvers<unknown>();
  // Where this supervisor does not get so far as to hear of them, nobody waits for ever.
  const patience = memory?.workers.length ? returnWithinMs : 0;
  setTimeout(() => allBack.resolve(undefined), 2 * patience).unref();
  let shared: ReturnType<typeof serveStore> | undefined;

  return {
    shareStore(store) {
      shared = serveStore({
        store,
        onFault,
        endClient: registry.end,
        ...(memory?.heard ? { follows: memory.heard } : {}),
      });
      shared.waitFor(allBack.promise);
      const { close } = shared;
      const closeBoth = () => {
        close();
        return store.close();
      };
      return { ...shared.store, close: closeBoth };
    },
    list: () => [...registry.list(), ...missing().map((each) => ({ ...each, peer: undefined }))],
    ready: allBack.promise,
    refused: (connection) => void arrivals.left(connection),
    serves: (id) => void renewOne(registry.find(id)?.peer),
    died(worker) {
      for (const connection of worker.connections) arrivals.left(connection);
      // What it said last may not have been read yet.
      void registry.whenGone(worker.id).then(() => gone(worker.id, worker.pid ?? 0, worker));
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
          // Behind the answer to its hello: whatever it was started with, the configuration of now holds for it.
          setImmediate(() => void renewOne(peer));
          return new Map<string, Handler>([
            ...(shared ? withReturn(shared.handlersFor(peer), () => returning?.back(worker.id)) : []),
            ...(opened.ports?.handlersFor(worker, peer) ?? []),
            [news.held, (params) => arrivals.held(worker.id, (params as HeldNews).connections)],
            [
              news.authenticated,
              (params) => arrivals.authenticated((params as AuthenticatedNews).connection),
            ],
            [
              news.left,
              (params) => {
                const { connection, offence, source } = params as LeftNews;
                if (!arrivals.left(connection, offence) && offence && source)
                  opened.penalise(source, offence);
              },
            ],
            [
              news.leaving,
              () => {
                registry.noteLeaving(worker.id);
                return true;
              },
            ],
          ]);
        },
      });
      // They find us from now on.
      returning = awaitWorkers(memory?.workers ?? [], returnWithinMs, gone);
      allBack.resolve(returning.settled);
      return {
        begin(entrances) {
          arrivals.count(entrances);
          return pool.serve(() => ({
            ...{ kind: 'serve', config: { ...opened.config }, socketPath: path },
            sshAddress: opened.sshAddress(),
          }));
        },
        ...arrivals.doors,
        async renew() {
          await Promise.all(registry.list().map(({ peer }) => renewOne(peer)));
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
          await Promise.all([pool.end(answerMs), registry.allGone(answerMs)]);
          await listener.close();
        },
        async leave() {
          registry.close();
          const left = own();
          await listener.leave(leaveWithinMs);
          return { ...left, heard: shared?.heard() };
        },
      };
    },
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
