/** One worker, as the supervisor that started it sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromWorker, PassedHttp, PassedSsh, ToWorker, WorkerBegin, WorkerServe } from './messages.ts';

export interface WorkerProcess {
  readonly id: string;
  readonly pid: number | undefined;
  /** Resolves when it can be told to serve; rejects with a sentence where it ends before. */
  readonly loaded: Promise<void>;
  serve(facts: WorkerServe): void;
  /** The socket is gone from this process when it is on its way. */
  pass(facts: Passed, socket: Socket): void;
  /** Behind all that was passed. */
  retire(timeoutMs?: number): void;
  kill(): void;
}

export type Passed = PassedSsh | PassedHttp;

/** What was to be passed, and never left this process. */
export interface Unsent {
  readonly passed: Passed;
  readonly socket: Socket;
}

export interface WorkerEvents {
  onServing(): void;
  /** A socket was lost on its way: the worker has no file descriptor left. */
  onLost(connection: string): void;
  /** Called once. */
  onExit(status: number | null, signal: NodeJS.Signals | null, unsent: readonly Unsent[]): void;
}

export type WorkerStart = Omit<WorkerBegin, 'kind'>;

const lifelineFd = 4;
const program = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

/** Never throws: one that cannot be started has ended. */
export function startWorker(start: WorkerStart, events: WorkerEvents): WorkerProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc', start.lifelineFd] as const;
  const child = spawn(process.execPath, [...process.execArgv, program, 'work'], { stdio: [...stdio] });
  const send = (message: ToWorker) => {
    // What one that is ending does not get, its end tells.
    if (child.connected) child.send(message, () => {});
  };
  const passing = createPassing(child, events.onLost);
  const loaded = Promise.withResolvers<void>();
  // Asked for by whoever waits for it.
  loaded.promise.catch(() => {});
  let problem: string | undefined;
  const heard: Readonly<Record<FromWorker['kind'], (message: FromWorker) => void>> = {
    loaded: () => loaded.resolve(),
    serving: () => events.onServing(),
    refused: (message) => {
      problem = (message as Extract<FromWorker, { kind: 'refused' }>).problem;
    },
  };
  child.on('message', (message: FromWorker) => heard[message.kind]?.(message));
  let hasEnded = false;
  const ended = (status: number | null, signal: NodeJS.Signals | null) => {
    if (hasEnded) return;
    hasEnded = true;
    loaded.reject(new Error(problem ?? `a worker ended (${signal ?? status}) before it was ready.`));
    events.onExit(status, signal, passing.unsent());
  };
  child.once('exit', ended);
  child.on('error', () => child.pid === undefined && ended(null, null));
  send({ ...start, kind: 'begin', lifelineFd });
  return {
    id: start.id,
    pid: child.pid,
    loaded: loaded.promise,
    serve: send,
    pass: passing.pass,
    retire: (timeoutMs) => send({ kind: 'retire', ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    kill: () => child.kill('SIGKILL'),
  };
}

/**
 * Node sends one socket after the other, each when the one before has arrived, and forgets those that wait when the other
 * process ends: they would stay open for ever. So they are ours until they are on their way.
 */
function createPassing(child: ChildProcess, onLost: WorkerEvents['onLost']) {
  const waiting = new Map<Socket, Passed>();
  let lastSent: string | undefined;
  // Not documented, and the only word of a socket that did not arrive.
  child.on('internalMessage', (message: { readonly cmd?: string }) => {
    if (message.cmd === 'NODE_HANDLE_NACK' && lastSent !== undefined) onLost(lastSent);
  });
  return {
    pass(passed: Passed, socket: Socket): void {
      waiting.set(socket, passed);
      if (!child.connected) return;
      // Else Node keeps lists of what each of its servers has passed on.
      (socket as { server?: unknown }).server = undefined;
      child.send(passed, socket, { keepOpen: true }, (error) => {
        if (error || !waiting.delete(socket)) return;
        lastSent = passed.connection;
        letGo(socket);
      });
    },
    unsent(): readonly Unsent[] {
      const unsent = [...waiting].map(([socket, passed]) => ({ passed, socket }));
      waiting.clear();
      return unsent;
    },
  };
}

/** Closes the descriptor of this process alone. That is no end of the connection, so nobody who waits for one is told. */
function letGo(socket: Socket): void {
  socket.removeAllListeners('close');
  socket.destroy();
}
