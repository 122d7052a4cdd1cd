/** One supervisor, as its keeper sees it. */
import { type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type FromSupervisor, keeperProtocol, type ToSupervisor, type Why } from './messages.ts';

/** How to run Postern again, as it lies there now. */
export interface Program {
  readonly file: string;
  /** In front of the command. */
  readonly args: readonly string[];
}

/** A socket that listens in this process, and on which nobody accepts here. */
export interface Held {
  readonly name: string;
  readonly at?: string;
  readonly handle: { readonly fd: number; close(): void };
}

export interface SupervisorProcess {
  readonly pid: number | undefined;
  /** False where it hears nothing any more: it is ending. */
  send(message: ToSupervisor): boolean;
  kill(): void;
}

export interface SupervisorStart {
  readonly program: Program;
  /** Of `postern serve`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly held: readonly Held[];
  readonly generation: number;
  readonly why: Why;
  readonly memory?: unknown;
  readonly configuration?: unknown;
  onMessage(message: FromSupervisor, handle: unknown): void;
  /** Called once. `status`: 128 and the signal's number where a signal ended it; 127 where it could not be started. */
  onExit(status: number): void;
}

const lifelineFd = 4;
const firstSocketFd = 5;

/** Never throws: one that cannot be started has ended. */
export function startSupervisor(start: SupervisorStart): SupervisorProcess {
  const { program, args, env, held, generation, why, memory, configuration } = start;
  const stdio: StdioOptions = ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'];
  stdio.push(...held.map(({ handle }) => handle.fd));
  const child = spawn(program.file, [...program.args, 'supervise', ...args], { stdio, env });
  // Its other ends are the supervisor's and its workers': nothing is ever said on it.
  child.stdio[lifelineFd]?.on('error', () => {});
  const send = (message: ToSupervisor) => {
    // What one that is ending does not hear, its end tells.
    if (child.connected) child.send(message, () => {});
    return child.connected;
  };
  let hasEnded = false;
  const ended = (status: number) => {
    if (hasEnded) return;
    hasEnded = true;
    start.onExit(status);
  };
  child.on('message', (message, handle) => start.onMessage(message as FromSupervisor, handle));
  child.once('exit', (status, signal) => ended(status ?? 128 + (signal ? constants.signals[signal] : 0)));
  child.on('error', () => child.pid === undefined && ended(127));
  const sockets = held.map(({ name, at }, index) => ({
    name,
    ...(at === undefined ? {} : { at }),
    fd: firstSocketFd + index,
  }));
  send({
    ...{ kind: 'begin', protocol: keeperProtocol, generation, sockets, lifelineFd },
    ...{ why, memory, configuration },
  });
  return { pid: child.pid, send, kill: () => child.kill('SIGKILL') };
}
