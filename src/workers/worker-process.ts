/** One worker, as the supervisor that started it sees it. */
import { type SendHandle, spawn } from 'node:child_process';
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
  /** The socket is gone from this process then. */
  pass(facts: PassedSsh | PassedHttp, socket: Socket): void;
  /** Behind all that was passed. */
  retire(): void;
  kill(): void;
}

export interface WorkerEvents {
  onServing(): void;
  /** Called once. */
  onExit(status: number | null, signal: NodeJS.Signals | null): void;
}

export type WorkerStart = Omit<WorkerBegin, 'kind'>;

const lifelineFd = 4;
const program = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

/** Never throws: one that cannot be started has ended. */
export function startWorker(start: WorkerStart, events: WorkerEvents): WorkerProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc', start.lifelineFd] as const;
  const child = spawn(process.execPath, [...process.execArgv, program, 'work'], { stdio: [...stdio] });
  const send = (message: ToWorker, handle?: SendHandle) => {
    // What one that is ending does not get, its end tells.
    if (child.connected) child.send(message, handle, {}, () => {});
    else (handle as Socket | undefined)?.destroy();
  };
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
    events.onExit(status, signal);
  };
  child.once('exit', ended);
  child.on('error', () => child.pid === undefined && ended(null, null));
  send({ ...start, kind: 'begin', lifelineFd });
  return {
    id: start.id,
    pid: child.pid,
    loaded: loaded.promise,
    serve: send,
    pass(facts, socket) {
      // Else Node keeps lists of what each of its servers has passed on.
      (socket as { server?: unknown }).server = undefined;
      send(facts, socket);
    },
    retire: () => send({ kind: 'retire' }),
    kill: () => child.kill('SIGKILL'),
  };
}
