/** The workers that a supervisor hears of, its own and those of supervisors before it. */
import { setTimeout as pause } from 'node:timers/promises';
import { movedReason } from '../ipc/leave.ts';
import type { Peer } from '../ipc/peer.ts';
import { orders, type WorkerIdentity } from './orders.ts';
import { endOfProcess, killProcess } from './process-end.ts';

export interface RegisteredWorker extends WorkerIdentity {
  /** Undefined: it has no connection at the moment. */
  peer: Peer | undefined;
  readonly gone: PromiseWithResolvers<void>;
}

export interface WorkerRegistry {
  add(identity: WorkerIdentity, peer: Peer): RegisteredWorker;
  /** It said that it ends, or was told to. */
  noteLeaving(id: string): void;
  isLeaving(id: string): boolean;
  /** Those that are connected. */
  list(): readonly RegisteredWorker[];
  find(id: string): RegisteredWorker | undefined;
  /** Resolves when all have ended, those that take longer than `withinMs` by force. */
  allGone(withinMs: number): Promise<void>;
  /** Resolves when its connection has ended, and it with it. */
  whenGone(id: string): Promise<void>;
  /** Resolves when it has ended. */
  end(peer: Peer, reason: string): Promise<void>;
  /** Asks all; those that are gone or do not answer are left out. */
  ask<Result>(method: string, params: unknown, deadlineMs: number): Promise<readonly Result[]>;
  tell(method: string, params?: unknown): void;
  close(): void;
}

export interface WorkerRegistryOptions {
  readonly warn: (sentence: string) => void;
  /** Of a worker that had a connection, and has ended. */
  readonly onGone: (worker: RegisteredWorker) => void;
  /** There are others than before. */
  readonly onChange: () => void;
  readonly pingEveryMs?: number;
  /** One that is busy for so long serves nobody. */
  readonly pingWithinMs?: number;
}

export function createWorkerRegistry(options: WorkerRegistryOptions): WorkerRegistry {
  const { warn, onGone, onChange, pingEveryMs = 5_000, pingWithinMs = 20_000 } = options;
  const workers = new Map<string, RegisteredWorker>();
  const leaving = new Set<string>();
  const byPeer = new WeakMap<Peer, RegisteredWorker>();
  const connected = () => [...workers.values()].filter(({ peer }) => peer !== undefined);

  async function end(peer: Peer, reason: string): Promise<void> {
    const worker = byPeer.get(peer);
    if (!worker) return;
    if (!leaving.has(worker.id)) warn(`worker ${worker.id} is ended: ${reason}.`);
    await ended(worker.pid, leaving.has(worker.id));
  }

  const ping = setInterval(() => {
    for (const { peer } of connected()) if (peer) void endUnlessAnswered(peer, pingWithinMs, end);
  }, pingEveryMs).unref();

  return {
    add(identity, peer) {
      const worker: RegisteredWorker = { ...identity, peer, gone: Promise.withResolvers() };
      workers.set(identity.id, worker);
      byPeer.set(peer, worker);
      onChange();
      peer.onClose((reason) => {
        worker.peer = undefined;
        // It is with a successor now.
        if (reason === movedReason) return;
        void ended(worker.pid, leaving.has(worker.id)).then(() => {
          if (workers.get(worker.id) === worker) workers.delete(worker.id);
          onChange();
          onGone(worker);
          worker.gone.resolve();
        });
      });
      return worker;
    },
    noteLeaving: (id) => void leaving.add(id),
    isLeaving: (id) => leaving.has(id),
    list: connected,
    find: (id) => workers.get(id),
    allGone: (withinMs) => goneWithin([...workers.values()], withinMs),
    whenGone: async (id) => workers.get(id)?.gone.promise,
    end,
    ask: <Result>(method: string, params: unknown, deadlineMs: number) =>
      answersOf(connected().map(({ peer }) => peer?.request<Result>(method, params, { deadlineMs }))),
    tell(method, params) {
      for (const { peer } of connected()) peer?.notify(method, params);
    },
    close: () => clearInterval(ping),
  };
}

/** One whose connection has ended is seen to by whoever hears of that. */
async function endUnlessAnswered(
  peer: Peer,
  deadlineMs: number,
  end: (peer: Peer, reason: string) => Promise<void>,
): Promise<void> {
  await peer.request(orders.ping, undefined, { deadlineMs }).catch(async (error: Error) => {
    if (peer.closedFor === undefined) await end(peer, error.message);
  });
}

async function answersOf<Answer>(
  asked: readonly (Promise<Answer> | undefined)[],
): Promise<readonly Answer[]> {
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) =>
    answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
  );
}

async function goneWithin(workers: readonly RegisteredWorker[], withinMs: number): Promise<void> {
  const kill = setTimeout(() => {
    for (const { pid } of workers) void killProcess(pid);
  }, withinMs);
  await Promise.all(workers.map(({ gone }) => gone.promise));
  clearTimeout(kill);
}

const leavingWithinMs = 5_000;

/** Whoever has no connection to the supervisor that it could get back has no way to know what changes. */
async function ended(pid: number, isLeaving: boolean): Promise<void> {
  if (isLeaving) await Promise.race([endOfProcess(pid), pause(leavingWithinMs, undefined, { ref: false })]);
  await killProcess(pid);
}
