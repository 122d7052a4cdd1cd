/** What workers hear from their supervisor, and it from them, while both serve; and how they part. */
import { GatewayError } from './errors.ts';
import type { Arrivals } from './gateway-arrivals.ts';
import type { OpenParts, WorkersMemory, WorkersServing } from './gateway-workers.ts';
import { type IpcListener, openIpcListener } from './ipc/open-listener.ts';
import type { Peer } from './ipc/peer.ts';
import type { Handler } from './ipc/serving.ts';
import { socketPath } from './platform/socket-path.ts';
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
  type RetireOrder,
} from './workers/orders.ts';
import type { WorkerPool } from './workers/worker-pool.ts';
import type { WorkerRegistry } from './workers/worker-registry.ts';

export interface Supervised {
  readonly pool: WorkerPool;
  readonly registry: WorkerRegistry;
  readonly arrivals: Arrivals;
  readonly onFault: (error: unknown, method: string) => void;
  /** What one may ask of the store. */
  readonly storeFor: (worker: string, peer: Peer) => Iterable<readonly [string, Handler]>;
  /** For a successor. */
  readonly remember: () => WorkersMemory;
}

const leaveWithinMs = 15_000;
/** For the answer, beyond the time that the work itself may take. */
const answerMs = 3_000;

/** Resolves when workers, of this supervisor and of those before it, can connect. */
export async function openWorkersServing(supervised: Supervised, parts: OpenParts): Promise<WorkersServing> {
  const { config, sshAddress, isDraining, penalise, ports } = parts;
  const { pool, registry, arrivals, onFault, storeFor } = supervised;
  const path = socketPath(config.dataDir, 'workers.sock');
  const listener = await openIpcListener({
    path,
    onFault,
    accept({ who }, peer) {
      const identity = parseWorkerIdentity(who);
      if (!identity) throw new GatewayError('process-refused', { problem: 'it is no worker' });
      const worker = registry.add(identity, peer);
      // Behind the answer to its hello: whatever it was started with, what is so now holds for it.
      setImmediate(() => void renewWorker(peer, parts));
      return new Map<string, Handler>([
        ...storeFor(worker.id, peer),
        ...(ports?.handlersFor(worker, peer) ?? []),
        ...newsOf(worker.id, registry, arrivals, penalise),
      ]);
    },
  });
  return {
    begin(entrances) {
      arrivals.count(entrances);
      return pool.serve(() => ({
        ...{ kind: 'serve', config: { ...config }, socketPath: path },
        sshAddress: sshAddress(),
        isDraining: isDraining(),
      }));
    },
    ...arrivals.doors,
    async renew() {
      await Promise.all(registry.list().map(({ peer }) => renewWorker(peer, parts)));
    },
    announceDrain: () => registry.tell(orders.announceDrain),
    ...createParting(supervised, listener),
  };
}

/** One that cannot yet is asked again when it serves. */
export async function renewWorker(
  peer: Peer | undefined,
  { config, isDraining }: Pick<OpenParts, 'config' | 'isDraining'>,
): Promise<void> {
  if (isDraining()) peer?.notify(orders.announceDrain);
  const order: RenewOrder = { config: { ...config }, keys: Object.keys(config) };
  await peer?.request(orders.renew, order, { deadlineMs: answerMs }).catch(() => {});
}

/** What a worker says of its connections, and of itself. */
const newsOf = (
  worker: string,
  registry: WorkerRegistry,
  arrivals: Arrivals,
  penalise: OpenParts['penalise'],
): readonly (readonly [string, Handler])[] => [
  [news.held, (params) => arrivals.held(worker, (params as HeldNews).connections)],
  [news.authenticated, (params) => arrivals.authenticated((params as AuthenticatedNews).connection)],
  [
    news.left,
    (params) => {
      const { connection, offence, source } = params as LeftNews;
      if (!arrivals.left(connection, offence) && offence && source) penalise(source, offence);
    },
  ],
  [
    news.leaving,
    () => {
      registry.noteLeaving(worker);
      return true;
    },
  ],
];

const createParting = (
  { registry, pool, remember }: Supervised,
  listener: IpcListener,
): Pick<WorkersServing, 'drain' | 'close' | 'leave'> => ({
  async drain({ timeoutMs, hurry }) {
    const stopWaiting = () => registry.tell(orders.hurry);
    if (hurry.aborted) stopWaiting();
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
  async leave(timeoutMs) {
    // Its own, whose parent it is, are told by the pool.
    const before = registry.list().filter(({ id }) => !pool.isOwn(id));
    const order: RetireOrder | undefined = timeoutMs === undefined ? undefined : { timeoutMs };
    if (order) for (const { peer } of before) peer?.notify(orders.retire, order);
    registry.close();
    const left = remember();
    await listener.leave(leaveWithinMs);
    return left;
  },
});
