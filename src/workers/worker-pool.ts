/** The workers of one supervisor: as many as were asked for, each replaced when it dies; connections go to the least busy. */
import type { Socket } from 'node:net';
import { keepUnread } from '../platform/keep-unread.ts';
import type { WorkerServe } from './messages.ts';
import {
  type Passed,
  startWorker,
  type Unsent,
  type WorkerProcess,
  type WorkerStart,
} from './worker-process.ts';

/** One that is gone, or about to be. */
export interface DeadWorker {
  readonly id: string;
  readonly pid: number | undefined;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It had begun to serve. */
  readonly hasServed: boolean;
  /** That it had. */
  readonly connections: readonly string[];
}

export interface WorkerPoolOptions extends Pick<WorkerStart, 'config' | 'lifelineFd' | 'version'> {
  readonly count: number;
  readonly generation: number;
  readonly onServing: (worker: string) => void;
  readonly onDeath: (dead: DeadWorker) => void;
  /** A connection came to nobody, and is closed. */
  readonly onRefused: (connection: string) => void;
  readonly times?: Partial<typeof usual>;
}

const usual = {
  /** Before a second one is started in the place of one that died at its start; then twice as long each time. */
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
};

export interface WorkerPool {
  /** Resolves when each can be told to serve; rejects with a sentence where one cannot. */
  readonly loaded: Promise<void>;
  /** Has them serve, and those that take their places. Resolves when the first does. */
  serve(facts: () => WorkerServe): Promise<void>;
  /** Gives a socket, of which nothing is read here from now on, to the worker with the fewest connections, or to the first that serves. */
  pass(facts: Passed, socket: Socket): void;
  /** A connection that was passed on has ended. */
  left(connection: string): void;
  /** Those that died are replaced no more: all are about to end. */
  stop(): void;
  /** The same, and each leaves when its connections are closed, which it does itself after `timeoutMs`. Resolves when all have. */
  retire(timeoutMs?: number): Promise<void>;
  /** Whether it was started by this one. */
  isOwn(id: string): boolean;
  kill(): void;
  /** Resolves when all have ended, those that take longer than `withinMs` by force. */
  end(withinMs: number): Promise<void>;
}

interface Member {
  readonly process: WorkerProcess;
  readonly connections: Set<string>;
  isServing: boolean;
}

/** Nobody serves it yet. */
interface Waiting {
  readonly passed: Passed;
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

const maxWaiting = 1_024;
const waitMs = 30_000;

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { count, generation, lifelineFd, version, onServing, onDeath, onRefused } = options;
  const times = { ...usual, ...options.times };
  const members = new Set<Member>();
  const memberOf = new Map<string, Member>();
  const firstServes = Promise.withResolvers<void>();
  const allGone = Promise.withResolvers<void>();
  let facts: (() => WorkerServe) | undefined;
  let started = 0;
  let failures = 0;
  let isRetired = false;
  let waiting: Waiting[] = [];

  function add(): Member {
    const process = startWorker(
      { id: `${generation}.${++started}`, version, config: facts?.().config ?? options.config, lifelineFd },
      {
        onServing() {
          member.isServing = true;
          failures = 0;
          firstServes.resolve();
          onServing(process.id);
          giveWaiting();
        },
        onLost: (connection) => {
          left(connection);
          onRefused(connection);
        },
        onExit: (status, signal, unsent) => remove(member, status, signal, unsent),
      },
    );
    const member: Member = { process, connections: new Set(), isServing: false };
    members.add(member);
    if (facts) process.serve(facts());
    return member;
  }

  function remove(
    member: Member,
    status: number | null,
    signal: NodeJS.Signals | null,
    unsent: readonly Unsent[],
  ): void {
    members.delete(member);
    for (const { passed } of unsent) left(passed.connection);
    for (const connection of member.connections) memberOf.delete(connection);
    const { id, pid } = member.process;
    const hasServed = member.isServing;
    if (!isRetired) replace(hasServed);
    onDeath({ id, pid, status, signal, hasServed, connections: [...member.connections] });
    // It never saw them: another one serves them.
    for (const { passed, socket } of unsent) (isRetired ? refuse : pass)(passed, socket);
    if (isRetired && members.size === 0) allGone.resolve();
  }

  /** One that dies before it serves will do so again: not at once, or nothing else would get done. */
  function replace(hasServed: boolean): void {
    // Before that it is for whoever waits for `loaded`.
    if (!facts) return;
    const { firstBackoffMs, longestBackoffMs } = times;
    const delayMs = hasServed ? 0 : Math.min(longestBackoffMs, firstBackoffMs * 2 ** failures++);
    setTimeout(() => !isRetired && add(), delayMs);
  }

  function give(member: Member, passed: Passed, socket: Socket): void {
    if (socket.destroyed) return refuse(passed, socket);
    member.connections.add(passed.connection);
    memberOf.set(passed.connection, member);
    member.process.pass(passed, socket);
  }
  function refuse({ connection }: Passed, socket: Socket): void {
    socket.destroy();
    onRefused(connection);
  }
  function giveWaiting(): void {
    const all = waiting;
    waiting = [];
    for (const { passed, socket, timer } of all) {
      clearTimeout(timer);
      const member = leastBusy();
      if (member) give(member, passed, socket);
      else refuse(passed, socket);
    }
  }

  function pass(passed: Passed, socket: Socket): void {
    const member = leastBusy();
    if (member) return give(member, passed, socket);
    if (waiting.length >= maxWaiting) return refuse(passed, socket);
    const timer = setTimeout(() => {
      waiting = waiting.filter((other) => other.socket !== socket);
      refuse(passed, socket);
    }, waitMs);
    waiting.push({ passed, socket, timer });
  }
  function left(connection: string): void {
    memberOf.get(connection)?.connections.delete(connection);
    memberOf.delete(connection);
  }

  const leastBusy = () =>
    [...members]
      .filter(({ isServing }) => isServing)
      .reduce<Member | undefined>(
        (least, member) => (least && least.connections.size <= member.connections.size ? least : member),
        undefined,
      );

  const kill = () => {
    isRetired = true;
    for (const { process } of members) process.kill();
  };

  const first = Array.from({ length: count }, add);
  return {
    loaded: Promise.all(first.map(({ process }) => process.loaded)).then(() => {}),
    serve(how) {
      facts = how;
      for (const { process } of members) process.serve(how());
      return firstServes.promise;
    },
    pass(passed, socket) {
      keepUnread(socket);
      pass(passed, socket);
    },
    left,
    stop() {
      isRetired = true;
    },
    retire(timeoutMs) {
      isRetired = true;
      for (const { process } of members) process.retire(timeoutMs);
      if (members.size === 0) allGone.resolve();
      return allGone.promise;
    },
    isOwn: (id) => id.startsWith(`${generation}.`),
    kill,
    async end(withinMs) {
      isRetired = true;
      if (members.size === 0) return;
      const timer = setTimeout(kill, withinMs);
      await allGone.promise;
      clearTimeout(timer);
    },
  };
}
