/** The workers of one supervisor: as many as were asked for, each replaced when it dies; connections go to the least busy. */
import type { Socket } from 'node:net';
import { keepUnread } from '../platform/keep-unread.ts';
import { createDistribution, type Distribution, type Member } from './distribution.ts';
import type { WorkerServe } from './messages.ts';
import { type Passed, startWorker, type Unsent, type WorkerStart } from './worker-process.ts';

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

/** What the members are to, from when on, and whether those that die are replaced. */
interface Crew {
  readonly members: Set<Member>;
  readonly distribution: Distribution;
  readonly firstServes: PromiseWithResolvers<void>;
  readonly allGone: PromiseWithResolvers<void>;
  facts: (() => WorkerServe) | undefined;
  isRetired: boolean;
}

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { count, generation, onRefused } = options;
  const members = new Set<Member>();
  const distribution = createDistribution(members, onRefused);
  const [firstServes, allGone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const crew: Crew = { members, distribution, firstServes, allGone, facts: undefined, isRetired: false };
  const kill = () => {
    crew.isRetired = true;
    for (const { process } of members) process.kill();
  };

  const first = Array.from({ length: count }, createRecruiting(options, crew));
  return {
    loaded: Promise.all(first.map(({ process }) => process.loaded)).then(() => {}),
    serve(how) {
      crew.facts = how;
      for (const { process } of members) process.serve(how());
      return firstServes.promise;
    },
    pass(passed, socket) {
      keepUnread(socket);
      distribution.pass(passed, socket);
    },
    left: distribution.left,
    stop() {
      crew.isRetired = true;
    },
    retire(timeoutMs) {
      crew.isRetired = true;
      for (const { process } of members) process.retire(timeoutMs);
      if (members.size === 0) allGone.resolve();
      return allGone.promise;
    },
    isOwn: (id) => id.startsWith(`${generation}.`),
    kill,
    async end(withinMs) {
      crew.isRetired = true;
      if (members.size === 0) return;
      const timer = setTimeout(kill, withinMs);
      await allGone.promise;
      clearTimeout(timer);
    },
  };
}

/** Starts a member, in whose place another is started when it dies. */
function createRecruiting(options: WorkerPoolOptions, crew: Crew): () => Member {
  const { generation, lifelineFd, version, onServing, onDeath, onRefused } = options;
  const { members, distribution } = crew;
  const { firstBackoffMs, longestBackoffMs } = { ...usual, ...options.times };
  let started = 0;
  let failures = 0;

  /** One that dies before it serves will do so again: not at once, or nothing else would get done. */
  function replace(hasServed: boolean): void {
    // Before that it is for whoever waits for `loaded`.
    if (!crew.facts) return;
    const delayMs = hasServed ? 0 : Math.min(longestBackoffMs, firstBackoffMs * 2 ** failures++);
    setTimeout(() => !crew.isRetired && add(), delayMs);
  }

  function add(): Member {
    const config = crew.facts?.().config ?? options.config;
    const process = startWorker(
      { id: `${generation}.${++started}`, version, config, lifelineFd },
      {
        onServing() {
          member.isServing = true;
          failures = 0;
          crew.firstServes.resolve();
          onServing(process.id);
          distribution.giveWaiting();
        },
        onLost: (connection) => {
          distribution.left(connection);
          onRefused(connection);
        },
        onExit(status, signal, unsent) {
          if (!crew.isRetired) replace(member.isServing);
          lose(crew, { member, status, signal, unsent }, onDeath);
        },
      },
    );
    const member: Member = { process, connections: new Set(), isServing: false };
    members.add(member);
    if (crew.facts) process.serve(crew.facts());
    return member;
  }
  return add;
}

interface Exit extends Pick<DeadWorker, 'status' | 'signal'> {
  readonly member: Member;
  readonly unsent: readonly Unsent[];
}

function lose(
  { members, distribution, allGone, isRetired }: Crew,
  { member, status, signal, unsent }: Exit,
  onDeath: WorkerPoolOptions['onDeath'],
): void {
  members.delete(member);
  for (const { passed } of unsent) distribution.left(passed.connection);
  distribution.gone(member);
  const { process, isServing: hasServed, connections } = member;
  onDeath({ id: process.id, pid: process.pid, status, signal, hasServed, connections: [...connections] });
  // It never saw them: another one serves them.
  for (const { passed, socket } of unsent)
    (isRetired ? distribution.refuse : distribution.pass)(passed, socket);
  if (isRetired && members.size === 0) allGone.resolve();
}
